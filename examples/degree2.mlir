// A long sequence whose scores are below 0.6, as after a QK-norm. Its keys lie in a few clusters: second moments of
// scores come close to the largest there can be.
func.func @main(%q: tensor<1x16384x64xf32>, %k: tensor<1x16384x64xf32>, %v: tensor<1x16384x64xf32>)
    -> tensor<1x16384x64xf32> {
  %o = attn.attention %q, %k, %v scale 0.125 bound <0.6, declared, moments = <centred_bound = 0.7, second_moment = 0.2>>
     : tensor<1x16384x64xf32>, tensor<1x16384x64xf32>, tensor<1x16384x64xf32> -> tensor<1x16384x64xf32>
  return %o : tensor<1x16384x64xf32>
}
