// RUN: polyattn-opt %s --attn-lower-to-reference --verify-diagnostics

#csr = #sparse_tensor.encoding<{map = (d0, d1) -> (d0 : dense, d1 : compressed)}>

func.func @sparse(%q: tensor<3x8xf32, #csr>, %k: tensor<5x8xf32>) -> tensor<3x8xf32> {
  // expected-error@+1 {{has no reference lowering for 'tensor<3x8xf32, #sparse_tensor.encoding}}
  %0 = attn.attention %q, %k, %k scale 1.0 : tensor<3x8xf32, #csr>, tensor<5x8xf32>, tensor<5x8xf32> -> tensor<3x8xf32>
  return %0 : tensor<3x8xf32>
}
