// The attention of a real model: all 12 heads of one MiniLM layer on 256
// tokens. The bound is what data/minilm_layer5.npz shows, scale * max|q| *
// max|k|.
func.func @main(%q: tensor<12x256x32xf32>, %k: tensor<12x256x32xf32>, %v: tensor<12x256x32xf32>)
    -> tensor<12x256x32xf32> {
  %o = attn.attention %q, %k, %v scale 0.17677669529663687 bound <18.425, profiled>
     : tensor<12x256x32xf32>, tensor<12x256x32xf32>, tensor<12x256x32xf32> -> tensor<12x256x32xf32>
  return %o : tensor<12x256x32xf32>
}
