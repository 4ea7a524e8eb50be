// The shape of a MiniLM layer, but cosine attention: queries and keys of length
// 1 and a fixed scale, so that no score can exceed it. Not MiniLM any more: a
// model would have to be trained so.
func.func @main(%q: tensor<12x256x32xf32>, %k: tensor<12x256x32xf32>, %v: tensor<12x256x32xf32>)
    -> tensor<12x256x32xf32> {
  %o = attn.attention %q, %k, %v scale 0.19 bound <0.19, declared>
     : tensor<12x256x32xf32>, tensor<12x256x32xf32>, tensor<12x256x32xf32> -> tensor<12x256x32xf32>
  return %o : tensor<12x256x32xf32>
}
