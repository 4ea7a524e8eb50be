// The same, causal: the state is a prefix sum over the keys.
func.func @main(%q: tensor<1x16384x64xf32>, %k: tensor<1x16384x64xf32>, %v: tensor<1x16384x64xf32>)
    -> tensor<1x16384x64xf32> {
  %o = attn.attention %q, %k, %v scale 0.125 mask causal bound <0.6, declared, moments = <centred_bound = 0.7, second_moment = 0.2>>
     : tensor<1x16384x64xf32>, tensor<1x16384x64xf32>, tensor<1x16384x64xf32> -> tensor<1x16384x64xf32>
  return %o : tensor<1x16384x64xf32>
}
