from __future__ import annotations

from xml.etree import ElementTree

from chainstack_sdk.primitives.svg import document, label, safe, tip

SVG = "{http://www.w3.org/2000/svg}"


def test_a_document_holds_what_it_is_given() -> None:
    text = document(30, 20, "text { fill: red }", [tip("end", "#123"), label(1, 2, "a<b>&c", anchor="end")])
    root = ElementTree.fromstring(text)
    assert root.tag == f"{SVG}svg"
    assert (root.get("width"), root.get("height"), root.get("viewBox")) == ("30", "20", "0 0 30 20")
    (words,) = root.iter(f"{SVG}text")
    assert words.text == "a<b>&c"
    assert words.attrib == {"x": "1", "y": "2", "text-anchor": "end"}
    assert next(root.iter(f"{SVG}marker")).get("id") == "end"


def test_parts_of_a_label_have_their_own_style() -> None:
    words = ElementTree.fromstring(label(1, 2, [("pay", "name"), ('by "x"', "detail")], style="way"))
    assert words.get("class") == "way"
    assert [(part.get("class"), part.text) for part in words] == [("name", "pay"), ("detail", 'by "x"')]
    assert "".join(words.itertext()) == 'pay by "x"'


def test_no_text_is_markup() -> None:
    assert safe('<script>&"\x00\x1b\u202e') == "&lt;script&gt;&amp;&quot;   "
