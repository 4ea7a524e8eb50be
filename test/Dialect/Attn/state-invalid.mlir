// RUN: polyattn-opt %s --split-input-file --verify-diagnostics

func.func @f(%s: tensor<9x46xf32>, %k: tensor<?x8xf32>) {
  // expected-error @+1 {{a state of 46 features fits no degree at head dimension 8: degree 1, 2, 3, 4 have 9, 45, 165, 495}}
  %0 = attn.state_update %s, %k, %k : tensor<9x46xf32>, tensor<?x8xf32>, tensor<?x8xf32>
  return
}

// -----

func.func @f(%s: tensor<9x?xf32>, %k: tensor<?x8xf32>) {
  // expected-error @+1 {{a state must have static last dimensions [e + 1, r], found 'tensor<9x?xf32>'}}
  %0 = attn.state_update %s, %k, %k : tensor<9x?xf32>, tensor<?x8xf32>, tensor<?x8xf32>
  return
}

// -----

func.func @f(%s: tensor<9x45xf32>, %k: tensor<?x?xf32>) {
  // expected-error @+1 {{needs a static head dimension, found 'tensor<?x?xf32>'}}
  %0 = attn.state_update %s, %k, %k : tensor<9x45xf32>, tensor<?x?xf32>, tensor<?x?xf32>
  return
}

// -----

func.func @f(%s: tensor<1x45xf32>, %k: tensor<?x8xf32>) {
  // expected-error @+1 {{a state has a row for each value column and one for the sum of weights, at least 2; found 1}}
  %0 = attn.state_update %s, %k, %k : tensor<1x45xf32>, tensor<?x8xf32>, tensor<?x8xf32>
  return
}

// -----

func.func @f(%s: tensor<8x45xf32>, %k: tensor<?x8xf32>) {
  // expected-error @+1 {{a state for 7 value columns meets values of 8}}
  %0 = attn.state_update %s, %k, %k : tensor<8x45xf32>, tensor<?x8xf32>, tensor<?x8xf32>
  return
}

// -----

func.func @f(%s: tensor<9x45xf32>, %k: tensor<?x8xf64>) {
  // expected-error @+1 {{f64 inputs need a state of f64, found 'f32'}}
  %0 = attn.state_update %s, %k, %k : tensor<9x45xf32>, tensor<?x8xf64>, tensor<?x8xf64>
  return
}

// -----

func.func @f(%s: tensor<2x9x45xf32>, %k: tensor<?x8xf32>) {
  // expected-error @+1 {{a state has rank 3 but query or key has rank 2; both need the same batch dimensions}}
  %0 = attn.state_update %s, %k, %k : tensor<2x9x45xf32>, tensor<?x8xf32>, tensor<?x8xf32>
  return
}

// -----

func.func @f(%s: tensor<2x9x45xf32>, %k: tensor<4x?x8xf32>) {
  // expected-error @+1 {{batch dimension 0 of a state is 2 but of key is 4}}
  %0 = attn.state_update %s, %k, %k : tensor<2x9x45xf32>, tensor<4x?x8xf32>, tensor<4x?x8xf32>
  return
}

// -----

func.func @f(%s: tensor<2x2000000001xf32>, %k: tensor<?x2000000000xf32>, %v: tensor<?x1xf32>) {
  // expected-error @+1 {{a state of 2000000001 features of degree 1 is too large; there may be 268435456}}
  %0 = attn.state_update %s, %k, %v : tensor<2x2000000001xf32>, tensor<?x2000000000xf32>, tensor<?x1xf32>
  return
}

// -----

func.func @f(%q: tensor<?x8xf32>, %s: tensor<9x45xf32>) {
  // expected-error @+1 {{needs a polynomial kernel, such as poly<[1.0, 1.0, 0.5]>: a state knows of no other}}
  %0 = attn.state_apply %q states(%s : tensor<9x45xf32>) scale 1.0 kernel exp : tensor<?x8xf32>
  return
}

// -----

func.func @f(%q: tensor<?x8xf32>, %s: tensor<9x45xf32>) {
  // expected-error @+1 {{kernel has degree 3 but the states have monomials of degree at most 2}}
  %0 = attn.state_apply %q states(%s : tensor<9x45xf32>) scale 1.0 kernel poly<[1.0, 1.0, 1.0, 1.0]> : tensor<?x8xf32>
  return
}

// -----

func.func @f(%q: tensor<?x8xf32>, %s: tensor<9x45xf32>, %t: tensor<9x165xf32>) {
  // expected-error @+1 {{reads states of different types 'tensor<9x45xf32>' and 'tensor<9x165xf32>'}}
  %0 = attn.state_apply %q states(%s, %t : tensor<9x45xf32>, tensor<9x165xf32>) scale 1.0 kernel poly<[1.0, 1.0]> : tensor<?x8xf32>
  return
}

// -----

func.func @f(%q: tensor<3x?x8xf32>, %s: tensor<2x9x45xf32>) {
  // expected-error @+1 {{has 3 query heads, which is not a multiple of its 2 key heads}}
  %0 = attn.state_apply %q states(%s : tensor<2x9x45xf32>) scale 1.0 kernel poly<[1.0, 1.0]> : tensor<3x?x8xf32>
  return
}

// -----

func.func @f(%q: tensor<?x8xf32>, %s: tensor<9x45xf32>) {
  // expected-error @+1 {{scale must be finite}}
  %0 = attn.state_apply %q states(%s : tensor<9x45xf32>) scale 0x7FF0000000000000 kernel poly<[1.0, 1.0]> : tensor<?x8xf32>
  return
}

// -----

func.func @f(%q: tensor<?x8xf32>, %s: tensor<9x45xf32>) {
  // expected-error @+1 {{has 1 states but 2 sets of keys}}
  %o, %t = attn.state_step %q keys(%q, %q : tensor<?x8xf32>, tensor<?x8xf32>) values(%q : tensor<?x8xf32>)
    states(%s : tensor<9x45xf32>) scale 1.0 kernel poly<[1.0, 1.0]> : tensor<?x8xf32>
  return
}

// -----

func.func @f(%q: tensor<3x8xf32>, %k: tensor<4x8xf32>, %s: tensor<9x45xf32>) {
  // expected-error @+1 {{has 3 queries but 4 keys; a step brings one key of each set with each query}}
  %o, %t = attn.state_step %q keys(%k : tensor<4x8xf32>) values(%k : tensor<4x8xf32>)
    states(%s : tensor<9x45xf32>) scale 1.0 kernel poly<[1.0, 1.0]> : tensor<3x8xf32>
  return
}

// -----

func.func @f(%s: tensor<9x45xf32>, %k: tensor<?x8xf32>, %v: tensor<?x?xf32>) {
  // expected-error @+1 {{needs a static number of value columns, found 'tensor<?x?xf32>'}}
  %0 = attn.state_update %s, %k, %v : tensor<9x45xf32>, tensor<?x8xf32>, tensor<?x?xf32>
  return
}
