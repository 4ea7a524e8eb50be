// One attention for each kind of decision; two of them at one place, one that heads divide.
func.func @heads(%x: tensor<4x256x32xf32>) -> tensor<4x256x32xf32> {
  %o = attn.attention %x, %x, %x scale 0.17677669529663687 bound <18.5, profiled>
      head_bounds [#attn.bound<18.5, profiled>, #attn.bound<0.19, profiled>, #attn.bound<0.19, profiled>, #attn.bound<0.6, profiled>]
     : tensor<4x256x32xf32>, tensor<4x256x32xf32>, tensor<4x256x32xf32> -> tensor<4x256x32xf32>
  return %o : tensor<4x256x32xf32>
}
func.func @"<b>&\22long"(%x: tensor<8x16384x64xf32>) -> (tensor<8x16384x64xf32>, tensor<8x16384x64xf32>) {
  %o = attn.attention %x, %x, %x scale 0.125 bound <0.5, declared, moments = <centred_bound = 1.0, second_moment = 0.25>>
     : tensor<8x16384x64xf32>, tensor<8x16384x64xf32>, tensor<8x16384x64xf32> -> tensor<8x16384x64xf32> loc("<i>layer.1</i>"("model.py":7:1))
  %1 = attn.attention %x, %x, %o scale 0.125 kernel poly<[1.0, 1.0, 0.5]>
     : tensor<8x16384x64xf32>, tensor<8x16384x64xf32>, tensor<8x16384x64xf32> -> tensor<8x16384x64xf32> loc("<i>layer.1</i>"("model.py":7:1))
  return %o, %1 : tensor<8x16384x64xf32>, tensor<8x16384x64xf32>
}
func.func @dynamic(%q: tensor<8x?x64xf32>, %x: tensor<2x?x64xf32>, %b: tensor<1x1x?xf32>) -> (tensor<8x?x64xf32>, tensor<8x?x64xf32>) {
  %0 = attn.attention %q, %x, %x scale 0.125 mask causal bound <0.5, proved>
     : tensor<8x?x64xf32>, tensor<2x?x64xf32>, tensor<2x?x64xf32> -> tensor<8x?x64xf32>
  %o = attn.attention %q, %x, %x bias(%b : tensor<1x1x?xf32>) scale 0.125 bound <0.5, proved>
     : tensor<8x?x64xf32>, tensor<2x?x64xf32>, tensor<2x?x64xf32> -> tensor<8x?x64xf32>
  return %0, %o : tensor<8x?x64xf32>, tensor<8x?x64xf32>
}
func.func @decode(%q: tensor<8x1x64xf32>, %x: tensor<2x4096x64xf32>) -> tensor<8x1x64xf32> {
  %o = attn.attention %q, %x, %x scale 0.125 bound <0.15, declared, moments = <centred_bound = 0.1, second_moment = 0.001>>
     : tensor<8x1x64xf32>, tensor<2x4096x64xf32>, tensor<2x4096x64xf32> -> tensor<8x1x64xf32>
  return %o : tensor<8x1x64xf32>
}
func.func @nothing(%x: tensor<?x?xf32>, %y: tensor<2x0x8xf32>) -> (tensor<?x?xf32>, tensor<2x0x8xf32>) {
  %0 = attn.attention %x, %x, %x scale 0.125 : tensor<?x?xf32>, tensor<?x?xf32>, tensor<?x?xf32> -> tensor<?x?xf32>
  %1 = attn.attention %y, %y, %y scale 0.125 : tensor<2x0x8xf32>, tensor<2x0x8xf32>, tensor<2x0x8xf32> -> tensor<2x0x8xf32>
  return %0, %1 : tensor<?x?xf32>, tensor<2x0x8xf32>
}
