// The bound is the same, but keys point in all directions: checked at run time, their second moments let a line do.
func.func @main(%q: tensor<1x16384x64xf32>, %k: tensor<1x16384x64xf32>, %v: tensor<1x16384x64xf32>)
    -> tensor<1x16384x64xf32> {
  %o = attn.attention %q, %k, %v scale 0.125 bound <0.6, declared>
     : tensor<1x16384x64xf32>, tensor<1x16384x64xf32>, tensor<1x16384x64xf32> -> tensor<1x16384x64xf32>
  return %o : tensor<1x16384x64xf32>
}
