// Small scores: a line stands for exp.
func.func @main(%q: tensor<4x4096x64xf32>, %k: tensor<4x4096x64xf32>, %v: tensor<4x4096x64xf32>)
    -> tensor<4x4096x64xf32> {
  %o = attn.attention %q, %k, %v scale 0.125 bound <0.19, declared>
     : tensor<4x4096x64xf32>, tensor<4x4096x64xf32>, tensor<4x4096x64xf32> -> tensor<4x4096x64xf32>
  return %o : tensor<4x4096x64xf32>
}
