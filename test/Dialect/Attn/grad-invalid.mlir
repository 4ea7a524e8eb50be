// RUN: polyattn-opt %s --split-input-file --verify-diagnostics

func.func @f(%q: tensor<8x?x64xf32>, %k: tensor<3x?x64xf32>) {
  // expected-error @+1 {{has 8 query heads, which is not a multiple of its 3 key heads}}
  %0 = attn.normalizer %q, %k scale 1.0 : tensor<8x?x64xf32>, tensor<3x?x64xf32> -> tensor<8x?xf32>
  return
}

// -----

func.func @f(%q: tensor<8x?x64xf32>) {
  // expected-error @+1 {{normalizer must have the shape of query without its last dimension, found 'tensor<8x?x1xf32>' beside 'tensor<8x?x64xf32>'}}
  %0 = attn.normalizer %q, %q scale 1.0 : tensor<8x?x64xf32>, tensor<8x?x64xf32> -> tensor<8x?x1xf32>
  return
}

// -----

func.func @f(%q: tensor<8x?x64xbf16>) {
  // expected-error @+1 {{normalizer of 'bf16' inputs must be f32, found 'f64'}}
  %0 = attn.normalizer %q, %q scale 1.0 : tensor<8x?x64xbf16>, tensor<8x?x64xbf16> -> tensor<8x?xf64>
  return
}

// -----

func.func @f(%q: tensor<8x?x64xf64>) {
  // expected-error @+1 {{normalizer of 'f64' inputs must be f64, found 'f32'}}
  %0 = attn.normalizer %q, %q scale 1.0 : tensor<8x?x64xf64>, tensor<8x?x64xf64> -> tensor<8x?xf32>
  return
}

// -----

func.func @f(%q: tensor<8x?x64xf32>, %b: tensor<8x?xf32>) {
  // expected-error @+1 {{bias must have rank 3, found 2}}
  %0 = attn.normalizer %q, %q bias(%b : tensor<8x?xf32>) scale 1.0 : tensor<8x?x64xf32>, tensor<8x?x64xf32> -> tensor<8x?xf32>
  return
}

// -----

func.func @f(%q: tensor<8x?x64xf32>, %w: tensor<8x?xf16>) {
  // expected-error @+1 {{key_weights have element type 'f16'; they must be f32 or 'f32'}}
  %0 = attn.normalizer %q, %q key_weights(%w : tensor<8x?xf16>) scale 1.0 : tensor<8x?x64xf32>, tensor<8x?x64xf32> -> tensor<8x?xf32>
  return
}

// -----

func.func @f(%q: tensor<8x?x64xf32>, %v: tensor<8x?x32xf32>, %z: tensor<8x?xf32>) {
  // expected-error @+1 {{output must be 'tensor<8x?x32xf32>' as the attention's output is, found 'tensor<8x?x64xf32>'}}
  %dq, %dk, %dv = attn.attention_grad %q, %q, %v output(%q) normalizer(%z : tensor<8x?xf32>) grad_output(%q)
    scale 1.0 : tensor<8x?x64xf32>, tensor<8x?x64xf32>, tensor<8x?x32xf32>, tensor<8x?x64xf32>
  return
}

// -----

func.func @f(%q: tensor<8x?x64xf32>, %k: tensor<8x9x64xf32>, %v: tensor<8x7x64xf32>, %z: tensor<8x?xf32>) {
  // expected-error @+1 {{dimension 1 of key is 9 but of value is 7}}
  %dq, %dk, %dv = attn.attention_grad %q, %k, %v output(%q) normalizer(%z : tensor<8x?xf32>) grad_output(%q)
    scale 1.0 : tensor<8x?x64xf32>, tensor<8x9x64xf32>, tensor<8x7x64xf32>, tensor<8x?x64xf32>
  return
}

// -----

func.func @f(%q: tensor<8x5x64xf32>, %z: tensor<8x6xf32>) {
  // expected-error @+1 {{normalizer must have the shape of query without its last dimension, found 'tensor<8x6xf32>'}}
  %dq, %dk, %dv = attn.attention_grad %q, %q, %q output(%q) normalizer(%z : tensor<8x6xf32>) grad_output(%q)
    scale 1.0 : tensor<8x5x64xf32>, tensor<8x5x64xf32>, tensor<8x5x64xf32>, tensor<8x5x64xf32>
  return
}

// -----

func.func @f(%q: tensor<8x5x64xf32>, %z: tensor<8x5xf32>) {
  // expected-error @+1 {{scale must be finite}}
  %dq, %dk, %dv = attn.attention_grad %q, %q, %q output(%q) normalizer(%z : tensor<8x5xf32>) grad_output(%q)
    scale 0x7FF0000000000000 : tensor<8x5x64xf32>, tensor<8x5x64xf32>, tensor<8x5x64xf32>, tensor<8x5x64xf32>
  return
}

// -----

func.func @f(%q: tensor<8x5x64xf32>, %b: tensor<8x5x5xf32>, %z: tensor<8x5xf32>) {
  // With a bias there is one gradient more.
  // expected-error @+1 {{operation defines 4 results but was provided 3 to bind}}
  %dq, %dk, %dv = attn.attention_grad %q, %q, %q bias(%b : tensor<8x5x5xf32>) output(%q) normalizer(%z : tensor<8x5xf32>)
    grad_output(%q) scale 1.0 : tensor<8x5x64xf32>, tensor<8x5x64xf32>, tensor<8x5x64xf32>, tensor<8x5x64xf32>
  return
}
