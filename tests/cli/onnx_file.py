"""A small ONNX model, encoded here as protobuf's wire format says, field by field."""


def varint(value):
    octets = bytearray()
    while value > 127:
        octets.append(value & 127 | 128)
        value >>= 7
    return bytes(octets + bytes([value]))


def number(field, value):
    return varint(field << 3) + varint(value)


def block(field, content):
    content = content.encode() if isinstance(content, str) else content
    return varint(field << 3 | 2) + varint(len(content)) + content


def tensor_value(name, dims):
    shape = b"".join(block(1, number(1, dim)) for dim in dims)
    return block(1, name) + block(2, block(1, number(1, 1) + block(2, shape)))


def weights(name, dims):
    return b"".join(number(1, dim) for dim in dims) + number(2, 1) + block(8, name)


def node(operator, inputs, output):
    return b"".join(block(1, name) for name in inputs) + block(2, output) + block(3, output) + block(4, operator)


def two_convolutions():
    """3 x 16 x 16, a 3 x 3 convolution to 8 channels without padding, one to 4: 14 x 14 and 12 x 12 places."""
    graph = (block(1, node("Conv", ["x", "w1"], "a")) + block(1, node("Relu", ["a"], "b")) +
             block(1, node("Conv", ["b", "w2"], "c")) + block(2, "g") +
             block(5, weights("w1", [8, 3, 3, 3])) + block(5, weights("w2", [4, 8, 3, 3])) +
             block(11, tensor_value("x", [1, 3, 16, 16])) + block(12, tensor_value("c", [1, 4, 12, 12])))
    return number(1, 8) + block(7, graph) + block(8, number(2, 13))
