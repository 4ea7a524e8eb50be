# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""ONNX Runtime: its own attention op and ONNX's, in both layouts of the latter."""

import numpy as np
import onnx
import onnxruntime
from onnx import helper

from contenders import base


class Contender(base.Contender):
    label = "ONNX Runtime"
    version = onnxruntime.__version__

    def __init__(self, threads):
        onnxruntime.set_default_logger_severity(3)
        self.options = onnxruntime.SessionOptions()
        self.options.intra_op_num_threads = threads
        self.options.inter_op_num_threads = 1

    def variants(self, case, q, k, v):
        if case.dtype != "f32":
            raise base.Unsupported("its CPU attention has no bf16")
        base.needs_all_scores(case)
        # [1, n, heads * d], as a model's projections leave it.
        packed = [np.ascontiguousarray(x.swapaxes(0, 1).reshape(1, x.shape[1], -1)) for x in (q, k, v)]
        apart = [x[None] for x in (q, k, v)]
        heads = {"q_num_heads": case.heads, "kv_num_heads": case.heads}
        own = {"num_heads": case.heads, "scale": case.scale, "unidirectional": int(case.causal)}
        standard = {"is_causal": int(case.causal), "scale": case.scale}

        def unpack(result):
            return result.numpy().reshape(case.n, case.heads, case.d).swapaxes(0, 1)

        return {
            "MultiHeadAttention": lambda: self.build("MultiHeadAttention", "com.microsoft", 1, own, packed, unpack),
            "Attention, packed heads": lambda: self.build("Attention", "", 23, {**standard, **heads}, packed, unpack),
            "Attention": lambda: self.build("Attention", "", 23, standard, apart, lambda result: result.numpy()[0]),
        }

    def build(self, op, domain, version, attributes, arrays, fetch):
        node = helper.make_node(op, ["q", "k", "v"], ["o"], domain=domain, **attributes)
        shapes = {"q": arrays[0].shape, "k": arrays[1].shape, "v": arrays[2].shape, "o": arrays[0].shape}
        values = [helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape) for name, shape in shapes.items()]
        graph = helper.make_graph([node], "attention", values[:3], values[3:])
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid(domain, version)], ir_version=10)
        session = onnxruntime.InferenceSession(model.SerializeToString(), self.options,
                                               providers=["CPUExecutionProvider"])
        binding = session.io_binding()
        for name, x in zip("qkv", arrays):
            binding.bind_ortvalue_input(name, onnxruntime.OrtValue.ortvalue_from_numpy(x))
        binding.bind_output("o", "cpu")

        def run():
            session.run_with_iobinding(binding)
            return binding.get_outputs()[0]

        return base.Runner(run, fetch)
