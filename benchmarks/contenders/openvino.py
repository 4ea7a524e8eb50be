# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""OpenVINO's attention op on its CPU device."""

import numpy as np
import openvino
from openvino import opset13

import inputs
from contenders import base


class Contender(base.Contender):
    label = "OpenVINO"
    version = openvino.__version__.split("-")[0]

    def __init__(self, threads):
        self.core = openvino.Core()
        self.core.set_property("CPU", {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": threads})

    def variants(self, case, q, k, v):
        return {"ScaledDotProductAttention": lambda: self.build(case, q, k, v)}

    def build(self, case, *arrays):
        arrays = [as_given(case, x) for x in arrays]  # tensors share their memory, but do not keep it
        arguments = [tensor(case, x) for x in arrays]
        parameters = [opset13.parameter(x.shape, x.element_type) for x in arguments]
        # Its default scale is 1/sqrt(d), too.
        result = opset13.scaled_dot_product_attention(*parameters, causal=case.causal)
        model = openvino.Model([result], parameters)
        compiled = self.core.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": case.dtype})
        request = compiled.create_infer_request()
        for i, x in enumerate(arguments):
            request.set_input_tensor(i, x)

        def run(kept=arrays):
            request.infer()
            return request.get_output_tensor(0)

        return base.Runner(run, lambda result: as_f32(result, case.dtype)[0])


def as_given(case, x):
    """[1, heads, n, d]; numpy has no bf16, so there the bits."""
    return (inputs.to_bf16_bits(x) if case.dtype == "bf16" else np.ascontiguousarray(x))[None]


def tensor(case, x):
    if case.dtype == "bf16":
        return openvino.Tensor(x, list(x.shape), openvino.Type.bf16)
    return openvino.Tensor(x, shared_memory=True)


def as_f32(result, dtype):
    return inputs.from_bf16_bits(result.data.view(np.uint16)) if dtype == "bf16" else result.data.copy()
