// Next-scale attention with the schedules of VAR ("Visual Autoregressive Modeling", Tian et al. 2024): an image is a
// pyramid of token maps, and each token sees all tokens of its own map and of coarser ones. Here for images of 256, 512
// and 1,024 pixels, 16 heads of 64; queries and keys have length 1, as VAR normalises them, at a small temperature.

// 680 tokens.
func.func @var_256(%q: tensor<16x680x64xf32>, %k: tensor<16x680x64xf32>, %v: tensor<16x680x64xf32>) -> tensor<16x680x64xf32> {
  %o = attn.attention %q, %k, %v scale 0.19
     mask block_causal<scales = [1x1, 2x2, 3x3, 4x4, 5x5, 6x6, 8x8, 10x10, 13x13, 16x16]>
     bound <0.19, declared> : tensor<16x680x64xf32>, tensor<16x680x64xf32>, tensor<16x680x64xf32> -> tensor<16x680x64xf32>
  return %o : tensor<16x680x64xf32>
}

// 2,240 tokens.
func.func @var_512(%q: tensor<16x2240x64xf32>, %k: tensor<16x2240x64xf32>, %v: tensor<16x2240x64xf32>) -> tensor<16x2240x64xf32> {
  %o = attn.attention %q, %k, %v scale 0.19
     mask block_causal<scales = [1x1, 2x2, 3x3, 4x4, 6x6, 9x9, 13x13, 18x18, 24x24, 32x32]>
     bound <0.19, declared> : tensor<16x2240x64xf32>, tensor<16x2240x64xf32>, tensor<16x2240x64xf32> -> tensor<16x2240x64xf32>
  return %o : tensor<16x2240x64xf32>
}

// 9,451 tokens.
func.func @var_1024(%q: tensor<16x9451x64xf32>, %k: tensor<16x9451x64xf32>, %v: tensor<16x9451x64xf32>) -> tensor<16x9451x64xf32> {
  %o = attn.attention %q, %k, %v scale 0.19
     mask block_causal<scales = [1x1, 2x2, 3x3, 4x4, 5x5, 7x7, 9x9, 12x12, 16x16, 21x21, 27x27, 36x36, 48x48, 64x64]>
     bound <0.19, declared> : tensor<16x9451x64xf32>, tensor<16x9451x64xf32>, tensor<16x9451x64xf32> -> tensor<16x9451x64xf32>
  return %o : tensor<16x9451x64xf32>
}
