/*
 * Keccak-256 for Python: one message, or many at once; what computes it is in _keccak.h.
 *
 * The interpreter's lock is held throughout: nothing can change the messages meanwhile.
 */

#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030b0000 /* one binary for Python 3.11 and all later versions */
#include <Python.h>

#include "_keccak.h"

static int read_bytes(PyObject *object, const char *what, const uint8_t **bytes, size_t *size)
{
    char *start;
    Py_ssize_t length;
    if (!PyBytes_Check(object)) {
        PyErr_Format(PyExc_TypeError, "%s is not bytes: %R", what, (PyObject *)Py_TYPE(object));
        return -1;
    }
    if (PyBytes_AsStringAndSize(object, &start, &length) < 0)
        return -1;
    *bytes = (const uint8_t *)start;
    *size = (size_t)length;
    return 0;
}

/* Read the optional argument at an index. */
static int read_prefix(PyObject *const *args, Py_ssize_t count, Py_ssize_t index, Prefix *prefix)
{
    prefix->bytes = NULL;
    prefix->size = 0;
    if (count <= index)
        return 0;
    if (read_bytes(args[index], "the prefix", &prefix->bytes, &prefix->size) < 0)
        return -1;
    if (prefix->size >= RATE) {
        PyErr_SetString(PyExc_ValueError, "a prefix is shorter than a block of 136 bytes");
        return -1;
    }
    return 0;
}

static int check_count(Py_ssize_t count, Py_ssize_t least)
{
    if (count >= least && count <= least + 1)
        return 0;
    PyErr_Format(PyExc_TypeError, "takes %zd or %zd arguments, not %zd", least, least + 1, count);
    return -1;
}

static PyObject *keccak256(PyObject *module, PyObject *data)
{
    (void)module;
    Message message;
    if (read_bytes(data, "what is hashed", &message.at, &message.left) < 0)
        return NULL;
    PyObject *digest = PyBytes_FromStringAndSize(NULL, DIGEST);
    if (!digest)
        return NULL;
    message.digest = (uint8_t *)PyBytes_AsString(digest);
    uint64_t state[LANES] = {0};
    finish(state, &message, NULL);
    return digest;
}

#define FEW 32 /* so many messages are described on the stack */

/* Describe the items of a list or tuple, and make the digests in which their hashes are to be written. */
static PyObject *make_digests(PyObject *items, Message *messages, Py_ssize_t count)
{
    int is_list = PyList_Check(items);
    PyObject *digests = PyList_New(count);
    for (Py_ssize_t i = 0; digests && i < count; i++) {
        PyObject *item = is_list ? PyList_GetItem(items, i) : PyTuple_GetItem(items, i);
        PyObject *digest = NULL;
        if (item && read_bytes(item, "an item", &messages[i].at, &messages[i].left) == 0)
            digest = PyBytes_FromStringAndSize(NULL, DIGEST);
        if (digest && PyList_SetItem(digests, i, digest) == 0) { /* the list owns it now */
            messages[i].digest = (uint8_t *)PyBytes_AsString(digest);
        } else {
            Py_DECREF(digests);
            digests = NULL;
        }
    }
    return digests;
}

static PyObject *hash_items(PyObject *items, const Prefix *prefix)
{
    Message few[FEW], *messages = few;
    Py_ssize_t count = PyList_Check(items) ? PyList_Size(items) : PyTuple_Size(items);
    if (count > FEW && !(messages = PyMem_Malloc((size_t)count * sizeof *messages)))
        return PyErr_NoMemory();
    PyObject *digests = make_digests(items, messages, count);
    if (digests)
        hash_messages(messages, (size_t)count, prefix);
    if (messages != few)
        PyMem_Free(messages);
    return digests;
}

static PyObject *keccak256_many(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    (void)module;
    Prefix prefix;
    if (check_count(nargs, 1) < 0 || read_prefix(args, nargs, 1, &prefix) < 0)
        return NULL;
    if (PyList_Check(args[0]) || PyTuple_Check(args[0]))
        return hash_items(args[0], &prefix);
    PyObject *items = PySequence_Tuple(args[0]); /* of any other iterable */
    if (!items)
        return NULL;
    PyObject *digests = hash_items(items, &prefix);
    Py_DECREF(items);
    return digests;
}

static PyObject *keccak256_pieces(PyObject *module, PyObject *const *args, Py_ssize_t nargs)
{
    (void)module;
    Prefix prefix;
    Message few[FEW];
    const uint8_t *data;
    size_t length;
    if (check_count(nargs, 2) < 0 || read_bytes(args[0], "what is hashed", &data, &length) < 0)
        return NULL;
    Py_ssize_t size = PyLong_AsSsize_t(args[1]);
    if ((size == -1 && PyErr_Occurred()) || read_prefix(args, nargs, 2, &prefix) < 0)
        return NULL;
    if (size < 1 || length % (size_t)size) {
        PyErr_SetString(PyExc_ValueError, "the data is not a whole number of pieces");
        return NULL;
    }
    size_t count = length / (size_t)size;
    if (count > PY_SSIZE_T_MAX / DIGEST)
        return PyErr_NoMemory();
    PyObject *digests = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)count * DIGEST);
    if (!digests)
        return NULL;
    uint8_t *digest = (uint8_t *)PyBytes_AsString(digests);
    while (count) {
        size_t some = count < FEW ? count : FEW;
        for (size_t i = 0; i < some; i++, data += size, digest += DIGEST) {
            few[i].at = data;
            few[i].left = (size_t)size;
            few[i].digest = digest;
        }
        hash_messages(few, some, &prefix);
        count -= some;
    }
    return digests;
}

PyDoc_STRVAR(keccak256_doc, "keccak256($module, data, /)\n--\n\nReturn the 32-byte Keccak-256 hash of bytes.");
PyDoc_STRVAR(many_doc, "keccak256_many($module, items, prefix=b'', /)\n--\n\n"
                       "Return the hash of each item, the prefix before it.");
PyDoc_STRVAR(pieces_doc, "keccak256_pieces($module, data, size, prefix=b'', /)\n--\n\n"
                         "Return the hashes of each size bytes of the data, the prefix before them, joined.");

static PyMethodDef functions[] = {
    {"keccak256", keccak256, METH_O, keccak256_doc},
    {"keccak256_many", (PyCFunction)(void (*)(void))keccak256_many, METH_FASTCALL, many_doc},
    {"keccak256_pieces", (PyCFunction)(void (*)(void))keccak256_pieces, METH_FASTCALL, pieces_doc},
    {NULL, NULL, 0, NULL},
};

static int choose(PyObject *module)
{
    (void)module;
    choose_permutation();
    return 0;
}

static PyModuleDef_Slot slots[] = {{Py_mod_exec, choose}, {0, NULL}};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_keccak",
    .m_doc = "Keccak-256, compiled: one message, or many at once.",
    .m_slots = slots,
    .m_methods = functions,
};

PyMODINIT_FUNC PyInit__keccak(void) { return PyModuleDef_Init(&definition); }
