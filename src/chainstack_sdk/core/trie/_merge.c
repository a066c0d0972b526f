/*
 * Merging changes into the in-memory trie, compiled: what merge_branch_in_python does, for the usual case.
 *
 * The usual case is a branch whose references are all hashes. What is rarer goes to the functions of merge.py:
 * branches with embedded references or a value, extensions, deletions, what shrinks below a hash. The nodes are
 * the Python objects of nodes.py in both, so that either may take over anywhere in a trie.
 */

#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030b0000 /* one binary for Python 3.11 and all later versions */
#include <Python.h>

#include "../../primitives/_keccak.h"

#define SLOTS 16
#define HASH_REFERENCE (1 + DIGEST)
#define MAX_PAYLOAD (SLOTS * HASH_REFERENCE + 1)
#define EMBEDDED 31   /* the longest encoding that a parent holds itself */
#define SHORT 55      /* the longest string or list whose RLP prefix is one byte */
#define DEEPEST 128   /* below, Python's functions go on: they can be as deep as keys are long */
#define BLANK 0x80
#define HASHED 0xA0

/* What merge.py hands over, kept for as long as the process lives. */
static struct {
    PyObject *branch_type;  /* nodes.Branch */
    PyObject *merge;        /* merge.merge */
    PyObject *merge_slots;  /* merge.merge_general: a branch that is not plain, or where a key ends */
    PyObject *put_off;      /* merge.put_off: changes of one branch that its plain payload cannot take */
    PyObject *encoded_leaf; /* nodes.encoded_leaf */
} python;
static PyObject *name_plain, *name_payload, *name_mask, *name_children;

/* The changes, as they stand in two lists that nobody changes meanwhile. */
typedef struct {
    PyObject *keys, *values;
    Py_ssize_t low, high;
} Changes;

/* What a node has become: both parts owned; node is None where nothing is left. */
typedef struct {
    PyObject *node, *encoding;
} Outcome;

static void drop(Outcome *outcome)
{
    Py_CLEAR(outcome->node);
    Py_CLEAR(outcome->encoding);
}

static inline const uint8_t *bytes_of(PyObject *object) { return (const uint8_t *)PyBytes_AsString(object); }
static inline PyObject *key_at(const Changes *changes, Py_ssize_t at) { return PyList_GetItem(changes->keys, at); }
static inline int nibble(PyObject *key, Py_ssize_t depth)
{
    uint8_t byte = bytes_of(key)[depth >> 1];
    return depth & 1 ? byte & 15 : byte >> 4;
}

/* Take apart what a Python function returned, a tuple (node, encoding). */
static int unpack(PyObject *pair, Outcome *outcome)
{
    if (!pair)
        return -1;
    if (!PyTuple_Check(pair) || PyTuple_Size(pair) != 2 || !PyBytes_Check(PyTuple_GetItem(pair, 1))) {
        PyErr_SetString(PyExc_TypeError, "merging gives a node and its encoding");
        Py_DECREF(pair);
        return -1;
    }
    outcome->node = Py_NewRef(PyTuple_GetItem(pair, 0));
    outcome->encoding = Py_NewRef(PyTuple_GetItem(pair, 1));
    Py_DECREF(pair);
    return 0;
}

/* Let Python do a part: function(node, keys, values, low, high, depth). */
static int in_python(PyObject *function, PyObject *node, const Changes *changes, Py_ssize_t depth, Outcome *outcome)
{
    return unpack(PyObject_CallFunction(function, "OOOnnn", node, changes->keys, changes->values, changes->low,
                                        changes->high, depth),
                  outcome);
}

/* Write an RLP list prefix and return how many bytes it takes; a payload here is below 65,536 bytes. */
static size_t list_prefix(uint8_t *to, size_t size)
{
    if (size <= SHORT) {
        to[0] = (uint8_t)(0xC0 + size);
        return 1;
    }
    if (size < 256) {
        to[0] = 0xF8;
        to[1] = (uint8_t)size;
        return 2;
    }
    to[0] = 0xF9;
    to[1] = (uint8_t)(size >> 8);
    to[2] = (uint8_t)size;
    return 3;
}

/* Return the encoding of a leaf whose path begins at nibble depth of its key. */
static PyObject *leaf_encoding(PyObject *key, PyObject *value, Py_ssize_t depth)
{
    size_t length = (size_t)PyBytes_Size(key), size = (size_t)PyBytes_Size(value);
    if (length > SHORT || size < 2 || size > 255)
        return PyObject_CallFunction(python.encoded_leaf, "OOn", key, value, depth);
    size_t from = (size_t)(depth + 1) >> 1, rest = length - from;
    uint8_t lead[8];
    size_t path = (rest ? 1 : 0) + 1 + rest, text = (size > SHORT ? 2 : 1) + size;
    size_t at = list_prefix(lead, path + text);
    if (rest)
        lead[at++] = (uint8_t)(0x80 + 1 + rest);
    lead[at++] = depth & 1 ? (uint8_t)(0x30 | nibble(key, depth)) : 0x20;
    PyObject *encoding = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)(at + rest + text));
    if (!encoding)
        return NULL;
    uint8_t *to = (uint8_t *)PyBytes_AsString(encoding);
    memcpy(to, lead, at);
    memcpy(to + at, bytes_of(key) + from, rest);
    at += rest;
    if (size > SHORT)
        to[at++] = 0xB8;
    to[at++] = (uint8_t)(size > SHORT ? size : 0x80 + size);
    memcpy(to + at, bytes_of(value), size);
    return encoding;
}

static int same_bytes(PyObject *one, PyObject *other)
{
    Py_ssize_t size = PyBytes_Size(one);
    return one == other || (size == PyBytes_Size(other) && !memcmp(bytes_of(one), bytes_of(other), (size_t)size));
}

static int merge_branch(PyObject *branch, const Changes *changes, Py_ssize_t depth, Outcome *outcome);

/* Do one group of changes to what stands in a slot, or to nothing (child is NULL). */
static int merge_child(PyObject *child, const Changes *group, Py_ssize_t depth, Outcome *outcome)
{
    PyObject *key = key_at(group, group->low), *value = PyList_GetItem(group->values, group->low);
    int alone = group->high - group->low == 1 && PyBytes_Size(value) > 0;
    if (alone && (!child || (PyTuple_Check(child) && same_bytes(PyTuple_GetItem(child, 0), key)))) {
        outcome->node = PyTuple_Pack(2, key, value);
        outcome->encoding = leaf_encoding(key, value, depth);
        return outcome->node && outcome->encoding ? 0 : -1;
    }
    if (child && (PyObject *)Py_TYPE(child) == python.branch_type && depth < DEEPEST)
        return merge_branch(child, group, depth, outcome);
    return in_python(python.merge, child ? child : Py_None, group, depth, outcome);
}

/* One branch while it is being changed. */
typedef struct {
    PyObject *branch, *payload, *children; /* owned */
    unsigned before, mask;                 /* slots in use, before and now */
    int inserted, count;
    PyObject *encodings[SLOTS]; /* of the children that changed, owned */
    Py_ssize_t offsets[SLOTS];  /* where their references stand, or will, in the old payload */
    int fresh[SLOTS];           /* whether there was none */
    PyObject *put_off;          /* list of (slot, node, encoding), owned; NULL while empty */
} Work;

static void finish_work(Work *work)
{
    Py_XDECREF(work->payload);
    Py_XDECREF(work->children);
    Py_XDECREF(work->put_off);
    for (int i = 0; i < work->count; i++)
        Py_DECREF(work->encodings[i]);
}

/* Put what a child has become into its slot; the outcome is used up. */
static int place(Work *work, int slot, int rank, Py_ssize_t offset, int used, Outcome *child)
{
    int fits = child->node != Py_None && PyBytes_Size(child->encoding) > EMBEDDED;
    if (!fits) {
        if (!used && child->node == Py_None)
            return 0; /* a deletion of what was not there */
        if (!work->put_off && !(work->put_off = PyList_New(0)))
            return -1;
        PyObject *entry = Py_BuildValue("(iOO)", slot, child->node, child->encoding);
        int failed = !entry || PyList_Append(work->put_off, entry) < 0;
        Py_XDECREF(entry);
        return failed ? -1 : 0;
    }
    if (!used) {
        if (PyList_Insert(work->children, rank, child->node) < 0)
            return -1;
        work->inserted++;
        work->mask |= 1u << slot;
    } else if (PyList_GetItem(work->children, rank) != child->node
               && PyList_SetItem(work->children, rank, Py_NewRef(child->node)) < 0) {
        return -1;
    }
    work->encodings[work->count] = Py_NewRef(child->encoding);
    work->offsets[work->count] = offset;
    work->fresh[work->count++] = !used;
    return 0;
}

static int merge_groups(Work *work, const Changes *changes, Py_ssize_t depth)
{
    for (Py_ssize_t at = changes->low; at < changes->high;) {
        int slot = nibble(key_at(changes, at), depth);
        Py_ssize_t end = at + 1;
        while (end < changes->high && nibble(key_at(changes, end), depth) == slot)
            end++;
        int below = __builtin_popcount(work->before & ((1u << slot) - 1)), used = work->before >> slot & 1;
        int rank = below + work->inserted;
        PyObject *child = used ? PyList_GetItem(work->children, rank) : NULL;
        Changes group = {changes->keys, changes->values, at, end};
        Outcome became = {NULL, NULL};
        Py_XINCREF(child);
        int failed = merge_child(child, &group, depth + 1, &became)
                     || place(work, slot, rank, slot + DIGEST * below, used, &became);
        Py_XDECREF(child);
        drop(&became);
        if (failed)
            return -1;
        at = end;
    }
    return 0;
}

/* Hash the children that changed and return the branch's encoding, the new payload at its end. */
static PyObject *spliced(const Work *work, size_t *lead)
{
    uint8_t digests[SLOTS][DIGEST], prefix[3];
    Message messages[SLOTS];
    for (int i = 0; i < work->count; i++) {
        messages[i].at = bytes_of(work->encodings[i]);
        messages[i].left = (size_t)PyBytes_Size(work->encodings[i]);
        messages[i].digest = digests[i];
    }
    hash_messages(messages, (size_t)work->count, NULL);
    size_t size = (size_t)PyBytes_Size(work->payload), copied = 0;
    const uint8_t *from = bytes_of(work->payload);
    *lead = list_prefix(prefix, size + (size_t)(DIGEST * work->inserted));
    PyObject *encoding = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)(*lead + size) + DIGEST * work->inserted);
    if (!encoding)
        return NULL;
    uint8_t *to = (uint8_t *)PyBytes_AsString(encoding);
    memcpy(to, prefix, *lead);
    to += *lead;
    for (int i = 0; i < work->count; i++) {
        size_t offset = (size_t)work->offsets[i];
        memcpy(to, from + copied, offset - copied);
        to += offset - copied;
        *to++ = HASHED;
        memcpy(to, digests[i], DIGEST);
        to += DIGEST;
        copied = offset + (work->fresh[i] ? 1 : HASH_REFERENCE);
    }
    memcpy(to, from + copied, size - copied);
    return encoding;
}

/* Write the outcome into the branch object. */
static int keep(Work *work, Outcome *outcome)
{
    size_t lead;
    PyObject *encoding = spliced(work, &lead), *payload = NULL, *mask = NULL;
    int failed = !encoding
                 || !(payload = PyBytes_FromStringAndSize(PyBytes_AsString(encoding) + lead,
                                                          PyBytes_Size(encoding) - (Py_ssize_t)lead))
                 || PyObject_SetAttr(work->branch, name_payload, payload) < 0
                 || (work->inserted
                     && (!(mask = PyLong_FromLong((long)work->mask))
                         || PyObject_SetAttr(work->branch, name_mask, mask) < 0));
    Py_XDECREF(payload);
    Py_XDECREF(mask);
    if (failed) {
        Py_XDECREF(encoding);
        return -1;
    }
    outcome->node = Py_NewRef(work->branch);
    outcome->encoding = encoding;
    return 0;
}

static int read_branch(Work *work)
{
    PyObject *mask = PyObject_GetAttr(work->branch, name_mask);
    work->payload = PyObject_GetAttr(work->branch, name_payload);
    work->children = PyObject_GetAttr(work->branch, name_children);
    long bits = mask ? PyLong_AsLong(mask) : -1;
    Py_XDECREF(mask);
    if (bits < 0 || !work->payload || !work->children)
        return -1;
    if (!PyBytes_Check(work->payload) || !PyList_Check(work->children)
        || PyBytes_Size(work->payload) != SLOTS + 1 + DIGEST * __builtin_popcountl(bits)
        || PyList_Size(work->children) != __builtin_popcountl(bits)) {
        PyErr_SetString(PyExc_TypeError, "this is not a plain branch");
        return -1;
    }
    work->before = work->mask = (unsigned)bits;
    return 0;
}

/* Do what merge_branch_in_python of merge.py does. */
static int merge_branch(PyObject *branch, const Changes *changes, Py_ssize_t depth, Outcome *outcome)
{
    PyObject *plain = PyObject_GetAttr(branch, name_plain);
    if (!plain)
        return -1;
    Py_DECREF(plain); /* True and False are always there */
    if (plain != Py_True || PyBytes_Size(key_at(changes, changes->low)) << 1 == depth)
        return in_python(python.merge_slots, branch, changes, depth, outcome);
    Work work = {.branch = branch};
    int failed = read_branch(&work) || merge_groups(&work, changes, depth) || keep(&work, outcome);
    if (!failed && work.put_off) {
        drop(outcome);
        failed = unpack(PyObject_CallFunction(python.put_off, "OOn", branch, work.put_off, depth), outcome);
    }
    finish_work(&work);
    return failed ? -1 : 0;
}

/* What Python sees. */

static int check_lists(PyObject *keys, PyObject *values, Py_ssize_t low, Py_ssize_t high, Py_ssize_t depth)
{
    int fine = depth >= 0 && low >= 0 && low < high && high <= PyList_Size(keys) && high <= PyList_Size(values);
    for (Py_ssize_t at = low; fine && at < high; at++)
        fine = PyBytes_Check(PyList_GetItem(keys, at)) && PyBytes_Check(PyList_GetItem(values, at))
               && PyBytes_Size(PyList_GetItem(keys, at)) << 1 >= depth + (at > low);
    if (!fine)
        PyErr_SetString(PyExc_ValueError, "these are no changes below this depth");
    return fine ? 0 : -1;
}

static PyObject *merge_branch_in_c(PyObject *module, PyObject *args)
{
    (void)module;
    PyObject *branch;
    Changes changes;
    Py_ssize_t depth;
    Outcome outcome = {NULL, NULL};
    if (!python.branch_type) {
        PyErr_SetString(PyExc_RuntimeError, "configure() comes first");
        return NULL;
    }
    if (!PyArg_ParseTuple(args, "OO!O!nnn", &branch, &PyList_Type, &changes.keys, &PyList_Type, &changes.values,
                          &changes.low, &changes.high, &depth)
        || check_lists(changes.keys, changes.values, changes.low, changes.high, depth))
        return NULL;
    int failed = depth < DEEPEST ? merge_branch(branch, &changes, depth, &outcome)
                                 : in_python(python.merge_slots, branch, &changes, depth, &outcome);
    PyObject *pair = failed ? NULL : PyTuple_Pack(2, outcome.node, outcome.encoding);
    drop(&outcome);
    return pair;
}

static PyObject *configure(PyObject *module, PyObject *args)
{
    (void)module;
    if (!PyArg_ParseTuple(args, "OOOOO", &python.branch_type, &python.merge, &python.merge_slots, &python.put_off,
                          &python.encoded_leaf))
        return NULL;
    Py_INCREF(python.branch_type);
    Py_INCREF(python.merge);
    Py_INCREF(python.merge_slots);
    Py_INCREF(python.put_off);
    Py_INCREF(python.encoded_leaf);
    Py_RETURN_NONE;
}

PyDoc_STRVAR(merge_doc, "merge_branch($module, branch, keys, values, low, high, depth, /)\n--\n\n"
                        "Return what a branch becomes under some changes, and its encoding.");
PyDoc_STRVAR(configure_doc, "configure($module, branch_type, merge, merge_slots, put_off, encoded_leaf, /)\n--\n\n"
                            "Take what is needed of the modules in Python.");

static PyMethodDef functions[] = {
    {"merge_branch", merge_branch_in_c, METH_VARARGS, merge_doc},
    {"configure", configure, METH_VARARGS, configure_doc},
    {NULL, NULL, 0, NULL},
};

static int prepare(PyObject *module)
{
    (void)module;
    choose_permutation();
    name_plain = PyUnicode_InternFromString("plain");
    name_payload = PyUnicode_InternFromString("payload");
    name_mask = PyUnicode_InternFromString("mask");
    name_children = PyUnicode_InternFromString("children");
    return name_plain && name_payload && name_mask && name_children ? 0 : -1;
}

static PyModuleDef_Slot slots[] = {{Py_mod_exec, prepare}, {0, NULL}};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_merge",
    .m_doc = "Merging changes into the in-memory trie, compiled.",
    .m_slots = slots,
    .m_methods = functions,
};

PyMODINIT_FUNC PyInit__merge(void) { return PyModuleDef_Init(&definition); }
