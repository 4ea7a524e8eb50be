// RUN: polyattn-opt %s --split-input-file --verify-diagnostics

func.func @no_keys(%q: tensor<5x8xf32>, %v: tensor<7x3xf32>) -> tensor<5x3xf32> {
  // expected-error @+1 {{has 0 sets of keys; it needs 1 to 4}}
  %o = "attn.tensor_attention"(%q, %v) {operandSegmentSizes = array<i32: 1, 0, 1, 0>, scale = 1.0} : (tensor<5x8xf32>, tensor<7x3xf32>) -> tensor<5x3xf32>
  return %o : tensor<5x3xf32>
}

// -----

func.func @too_many(%q: tensor<5x8xf32>, %v: tensor<5x3xf32>) -> tensor<5x3xf32> {
  // expected-error @+1 {{has 5 sets of keys; it needs 1 to 4}}
  %o = attn.tensor_attention %q keys(%q, %q, %q, %q, %q : tensor<5x8xf32>, tensor<5x8xf32>, tensor<5x8xf32>, tensor<5x8xf32>, tensor<5x8xf32>)
    values(%v, %v, %v, %v, %v : tensor<5x3xf32>, tensor<5x3xf32>, tensor<5x3xf32>, tensor<5x3xf32>, tensor<5x3xf32>)
    scale 1.0 : tensor<5x8xf32> -> tensor<5x3xf32>
  return %o : tensor<5x3xf32>
}

// -----

func.func @values(%q: tensor<5x8xf32>, %v: tensor<5x3xf32>) -> tensor<5x3xf32> {
  // expected-error @+1 {{has 2 sets of keys but 1 of values}}
  %o = attn.tensor_attention %q keys(%q, %q : tensor<5x8xf32>, tensor<5x8xf32>) values(%v : tensor<5x3xf32>)
    scale 1.0 : tensor<5x8xf32> -> tensor<5x3xf32>
  return %o : tensor<5x3xf32>
}

// -----

func.func @weights(%q: tensor<5x8xf32>, %v: tensor<5x3xf32>, %w: tensor<5xf32>) -> tensor<5x3xf32> {
  // expected-error @+1 {{has 2 sets of keys but 1 of key_weights; give one for each (1 where all keys count alike), or none}}
  %o = attn.tensor_attention %q keys(%q, %q : tensor<5x8xf32>, tensor<5x8xf32>)
    values(%v, %v : tensor<5x3xf32>, tensor<5x3xf32>) key_weights(%w : tensor<5xf32>) scale 1.0
    : tensor<5x8xf32> -> tensor<5x3xf32>
  return %o : tensor<5x3xf32>
}

// -----

func.func @masks(%q: tensor<5x8xf32>, %v: tensor<5x3xf32>) -> tensor<5x3xf32> {
  // expected-error @+1 {{has 3 masks; give one for all sets of keys, or one for each of 2}}
  %o = attn.tensor_attention %q keys(%q, %q : tensor<5x8xf32>, tensor<5x8xf32>)
    values(%v, %v : tensor<5x3xf32>, tensor<5x3xf32>) scale 1.0 mask [causal, full, full]
    : tensor<5x8xf32> -> tensor<5x3xf32>
  return %o : tensor<5x3xf32>
}

// -----

func.func @columns(%q: tensor<5x8xf32>, %v: tensor<5x3xf32>, %v2: tensor<5x4xf32>) -> tensor<5x3xf32> {
  // expected-error @+1 {{values have 3 columns in the first set but 4 in set 2}}
  %o = attn.tensor_attention %q keys(%q, %q : tensor<5x8xf32>, tensor<5x8xf32>)
    values(%v, %v2 : tensor<5x3xf32>, tensor<5x4xf32>) scale 1.0 : tensor<5x8xf32> -> tensor<5x3xf32>
  return %o : tensor<5x3xf32>
}

// -----

func.func @head_dim(%q: tensor<5x8xf32>, %k: tensor<5x6xf32>, %v: tensor<5x3xf32>) -> tensor<5x3xf32> {
  // expected-error @+1 {{head dimension of query is 8 but of key is 6}}
  %o = attn.tensor_attention %q keys(%q, %k : tensor<5x8xf32>, tensor<5x6xf32>)
    values(%v, %v : tensor<5x3xf32>, tensor<5x3xf32>) scale 1.0 : tensor<5x8xf32> -> tensor<5x3xf32>
  return %o : tensor<5x3xf32>
}

// -----

func.func @heads(%q: tensor<4x5x8xf32>, %k: tensor<2x5x8xf32>, %v: tensor<4x5x3xf32>, %v2: tensor<2x5x3xf32>) -> tensor<4x5x3xf32> {
  // expected-error @+1 {{batch dimension 0 of the first keys is 4 but that of set 2 is 2}}
  %o = attn.tensor_attention %q keys(%q, %k : tensor<4x5x8xf32>, tensor<2x5x8xf32>)
    values(%v, %v2 : tensor<4x5x3xf32>, tensor<2x5x3xf32>) scale 1.0 : tensor<4x5x8xf32> -> tensor<4x5x3xf32>
  return %o : tensor<4x5x3xf32>
}

// -----

func.func @exp_state(%q: tensor<5x8xf32>, %v: tensor<5x3xf32>) -> tensor<5x3xf32> {
  // expected-error @+1 {{cannot be evaluated through a state: its kernel is not a polynomial}}
  %o = attn.tensor_attention %q keys(%q, %q : tensor<5x8xf32>, tensor<5x8xf32>)
    values(%v, %v : tensor<5x3xf32>, tensor<5x3xf32>) scale 1.0 evaluate state : tensor<5x8xf32> -> tensor<5x3xf32>
  return %o : tensor<5x3xf32>
}

// -----

func.func @moments(%q: tensor<5x8xf32>) -> i1 {
  // expected-error @+1 {{cannot check moments of several key sets}}
  %ok = attn.check_bound %q, %q, %q scale 0.5 bound 1.0 max_norm 1000.0 second_moment 0.1 mean 0.1
    : tensor<5x8xf32>, tensor<5x8xf32>, tensor<5x8xf32>
  return %ok : i1
}

// -----

func.func @not_a_mask(%q: tensor<5x8xf32>, %v: tensor<5x3xf32>) -> tensor<5x3xf32> {
  %o = attn.tensor_attention %q keys(%q, %q : tensor<5x8xf32>, tensor<5x8xf32>)
    // expected-error @+1 {{#attn.exp cannot stand here}}
    values(%v, %v : tensor<5x3xf32>, tensor<5x3xf32>) scale 1.0 mask [causal, exp] : tensor<5x8xf32> -> tensor<5x3xf32>
  return %o : tensor<5x3xf32>
}
