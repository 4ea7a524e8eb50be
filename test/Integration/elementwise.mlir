// Plain arithmetic on tensors around attention goes through the whole pipeline.
// RUN: polyattn-run %s --entry=main --input=random:1:2x8:f32 --output=%t | FileCheck %s
// CHECK: result 0: 2x8xf32
func.func @main(%q: tensor<2x8xf32>) -> tensor<2x8xf32> {
  %o = attn.attention %q, %q, %q scale 1.0 : tensor<2x8xf32>, tensor<2x8xf32>, tensor<2x8xf32> -> tensor<2x8xf32>
  %r = arith.addf %o, %q : tensor<2x8xf32>
  return %r : tensor<2x8xf32>
}
