// One rejected op per rule.
// RUN: polyattn-opt %s --verify-diagnostics --split-input-file

// Rank of query.
func.func @f(%q: tensor<8xf32>, %k: tensor<5x8xf32>, %v: tensor<5x4xf32>) {
  // expected-error@+1 {{query needs at least the dimensions [n, d], found rank 1}}
  %0 = attn.attention %q, %k, %v scale 1.0 : tensor<8xf32>, tensor<5x8xf32>, tensor<5x4xf32> -> tensor<4xf32>
  return
}

// -----

// Rank of value.
func.func @f(%q: tensor<3x8xf32>, %k: tensor<5x8xf32>, %v: tensor<4xf32>) {
  // expected-error@+1 {{key has rank 2 but value has rank 1}}
  %0 = attn.attention %q, %k, %v scale 1.0 : tensor<3x8xf32>, tensor<5x8xf32>, tensor<4xf32> -> tensor<3x4xf32>
  return
}

// -----

// Query and key differ in rank.
func.func @f(%q: tensor<3x8xf32>, %k: tensor<1x5x8xf32>, %v: tensor<5x4xf32>) {
  // expected-error@+1 {{query has rank 2 but key has rank 3}}
  %0 = attn.attention %q, %k, %v scale 1.0 : tensor<3x8xf32>, tensor<1x5x8xf32>, tensor<5x4xf32> -> tensor<3x4xf32>
  return
}

// -----

// Key and value differ in rank.
func.func @f(%q: tensor<3x8xf32>, %k: tensor<5x8xf32>, %v: tensor<1x5x4xf32>) {
  // expected-error@+1 {{key has rank 2 but value has rank 3}}
  %0 = attn.attention %q, %k, %v scale 1.0 : tensor<3x8xf32>, tensor<5x8xf32>, tensor<1x5x4xf32> -> tensor<3x4xf32>
  return
}

// -----

// Query and key differ in element type.
func.func @f(%q: tensor<3x8xf32>, %k: tensor<5x8xf16>, %v: tensor<5x4xf32>) {
  // expected-error@+1 {{query and key have different element types 'f32' and 'f16'}}
  %0 = attn.attention %q, %k, %v scale 1.0 : tensor<3x8xf32>, tensor<5x8xf16>, tensor<5x4xf32> -> tensor<3x4xf32>
  return
}

// -----

// Key and value differ in element type.
func.func @f(%q: tensor<3x8xf32>, %k: tensor<5x8xf32>, %v: tensor<5x4xf64>) {
  // expected-error@+1 {{key and value have different element types 'f32' and 'f64'}}
  %0 = attn.attention %q, %k, %v scale 1.0 : tensor<3x8xf32>, tensor<5x8xf32>, tensor<5x4xf64> -> tensor<3x4xf32>
  return
}

// -----

// Head dimensions.
func.func @f(%q: tensor<3x8xf32>, %k: tensor<5x16xf32>, %v: tensor<5x4xf32>) {
  // expected-error@+1 {{head dimension of query is 8 but of key is 16}}
  %0 = attn.attention %q, %k, %v scale 1.0 : tensor<3x8xf32>, tensor<5x16xf32>, tensor<5x4xf32> -> tensor<3x4xf32>
  return
}

// -----

// Key heads must divide query heads.
func.func @f(%q: tensor<3x3x8xf32>, %k: tensor<2x5x8xf32>, %v: tensor<2x5x4xf32>) {
  // expected-error@+1 {{has 3 query heads, which is not a multiple of its 2 key heads}}
  %0 = attn.attention %q, %k, %v scale 1.0 : tensor<3x3x8xf32>, tensor<2x5x8xf32>, tensor<2x5x4xf32> -> tensor<3x3x4xf32>
  return
}

// -----

// No key heads for some query heads.
func.func @f(%q: tensor<3x3x8xf32>, %k: tensor<0x5x8xf32>, %v: tensor<0x5x4xf32>) {
  // expected-error@+1 {{has 3 query heads, which is not a multiple of its 0 key heads}}
  %0 = attn.attention %q, %k, %v scale 1.0 : tensor<3x3x8xf32>, tensor<0x5x8xf32>, tensor<0x5x4xf32> -> tensor<3x3x4xf32>
  return
}

// -----

// Batch dimensions other than heads are equal.
func.func @f(%q: tensor<4x2x3x8xf32>, %k: tensor<2x2x5x8xf32>, %v: tensor<2x2x5x4xf32>) {
  // expected-error@+1 {{batch dimension 0 of query is 4 but of key is 2}}
  %0 = attn.attention %q, %k, %v scale 1.0 : tensor<4x2x3x8xf32>, tensor<2x2x5x8xf32>, tensor<2x2x5x4xf32> -> tensor<4x2x3x4xf32>
  return
}

// -----

// Numbers of keys and values.
func.func @f(%q: tensor<3x8xf32>, %k: tensor<5x8xf32>, %v: tensor<6x4xf32>) {
  // expected-error@+1 {{dimension 0 of key is 5 but of value is 6}}
  %0 = attn.attention %q, %k, %v scale 1.0 : tensor<3x8xf32>, tensor<5x8xf32>, tensor<6x4xf32> -> tensor<3x4xf32>
  return
}

// -----

// Heads of keys and values.
func.func @f(%q: tensor<2x3x8xf32>, %k: tensor<2x5x8xf32>, %v: tensor<1x5x4xf32>) {
  // expected-error@+1 {{dimension 0 of key is 2 but of value is 1}}
  %0 = attn.attention %q, %k, %v scale 1.0 : tensor<2x3x8xf32>, tensor<2x5x8xf32>, tensor<1x5x4xf32> -> tensor<2x3x4xf32>
  return
}

// -----

// Element type.
func.func @f(%q: tensor<3x8xi32>, %k: tensor<5x8xi32>, %v: tensor<5x4xi32>) {
  // expected-error@+1 {{must be ranked tensor of 16-bit float or bfloat16 type or 32-bit float or 64-bit float values}}
  %0 = attn.attention %q, %k, %v scale 1.0 : tensor<3x8xi32>, tensor<5x8xi32>, tensor<5x4xi32> -> tensor<3x4xi32>
  return
}

// -----

// The result has the queries' rows.
func.func @f(%q: tensor<3x8xf32>, %k: tensor<5x8xf32>, %v: tensor<5x4xf32>) {
  // expected-error@+2 {{incompatible with return type}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = attn.attention %q, %k, %v scale 1.0 : tensor<3x8xf32>, tensor<5x8xf32>, tensor<5x4xf32> -> tensor<4x4xf32>
  return
}

// -----

// The result has the queries' element type.
func.func @f(%q: tensor<3x8xf32>, %k: tensor<5x8xf32>, %v: tensor<5x4xf32>) {
  // expected-error@+2 {{incompatible with return type}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = attn.attention %q, %k, %v scale 1.0 : tensor<3x8xf32>, tensor<5x8xf32>, tensor<5x4xf32> -> tensor<3x4xf16>
  return
}

// -----

// Infinite scale.
func.func @f(%q: tensor<3x8xf32>, %k: tensor<5x8xf32>, %v: tensor<5x4xf32>) {
  // expected-error@+1 {{scale must be finite}}
  %0 = attn.attention %q, %k, %v scale 0x7FF0000000000000 : tensor<3x8xf32>, tensor<5x8xf32>, tensor<5x4xf32> -> tensor<3x4xf32>
  return
}

// -----

// Bias of another element type.
func.func @f(%q: tensor<3x8xf32>, %k: tensor<5x8xf32>, %v: tensor<5x4xf32>, %b: tensor<3x5xf16>) {
  // expected-error@+1 {{bias has element type 'f16' but query has 'f32'}}
  %0 = attn.attention %q, %k, %v bias(%b : tensor<3x5xf16>) scale 1.0 : tensor<3x8xf32>, tensor<5x8xf32>, tensor<5x4xf32> -> tensor<3x4xf32>
  return
}

// -----

// Rank of bias.
func.func @f(%q: tensor<3x8xf32>, %k: tensor<5x8xf32>, %v: tensor<5x4xf32>, %b: tensor<5xf32>) {
  // expected-error@+1 {{bias must have rank 2, found 1}}
  %0 = attn.attention %q, %k, %v bias(%b : tensor<5xf32>) scale 1.0 : tensor<3x8xf32>, tensor<5x8xf32>, tensor<5x4xf32> -> tensor<3x4xf32>
  return
}

// -----

// Shape of bias.
func.func @f(%q: tensor<3x8xf32>, %k: tensor<5x8xf32>, %v: tensor<5x4xf32>, %b: tensor<3x3xf32>) {
  // expected-error@+1 {{bias dimension 1 is 3; it must be 1 or 5}}
  %0 = attn.attention %q, %k, %v bias(%b : tensor<3x3xf32>) scale 1.0 : tensor<3x8xf32>, tensor<5x8xf32>, tensor<5x4xf32> -> tensor<3x4xf32>
  return
}

// -----

// Heads of bias: those of the query.
func.func @f(%q: tensor<4x3x8xf32>, %k: tensor<2x5x8xf32>, %v: tensor<2x5x4xf32>, %b: tensor<2x3x5xf32>) {
  // expected-error@+1 {{bias dimension 0 is 2; it must be 1 or 4}}
  %0 = attn.attention %q, %k, %v bias(%b : tensor<2x3x5xf32>) scale 1.0 : tensor<4x3x8xf32>, tensor<2x5x8xf32>, tensor<2x5x4xf32> -> tensor<4x3x4xf32>
  return
}

// -----

// Element type of key weights.
func.func @f(%q: tensor<3x8xf16>, %k: tensor<5x8xf16>, %v: tensor<5x4xf16>, %w: tensor<5xf64>) {
  // expected-error@+1 {{key_weights have element type 'f64'; they must be f32 or 'f16'}}
  %0 = attn.attention %q, %k, %v key_weights(%w : tensor<5xf64>) scale 1.0 : tensor<3x8xf16>, tensor<5x8xf16>, tensor<5x4xf16> -> tensor<3x4xf16>
  return
}

// -----

// Rank of key weights.
func.func @f(%q: tensor<3x8xf32>, %k: tensor<5x8xf32>, %v: tensor<5x4xf32>, %w: tensor<1x5xf32>) {
  // expected-error@+1 {{key_weights must have the shape of key without its last dimension}}
  %0 = attn.attention %q, %k, %v key_weights(%w : tensor<1x5xf32>) scale 1.0 : tensor<3x8xf32>, tensor<5x8xf32>, tensor<5x4xf32> -> tensor<3x4xf32>
  return
}

// -----

// Length of key weights.
func.func @f(%q: tensor<3x8xf32>, %k: tensor<5x8xf32>, %v: tensor<5x4xf32>, %w: tensor<1xf32>) {
  // expected-error@+1 {{key_weights must have the shape of key without its last dimension}}
  %0 = attn.attention %q, %k, %v key_weights(%w : tensor<1xf32>) scale 1.0 : tensor<3x8xf32>, tensor<5x8xf32>, tensor<5x4xf32> -> tensor<3x4xf32>
  return
}

// -----

// Heads of key weights: those of the key.
func.func @f(%q: tensor<4x3x8xf32>, %k: tensor<2x5x8xf32>, %v: tensor<2x5x4xf32>, %w: tensor<4x5xf32>) {
  // expected-error@+1 {{key_weights dimension 0 is 4; it must be 1 or 2}}
  %0 = attn.attention %q, %k, %v key_weights(%w : tensor<4x5xf32>) scale 1.0 : tensor<4x3x8xf32>, tensor<2x5x8xf32>, tensor<2x5x4xf32> -> tensor<4x3x4xf32>
  return
}

// -----

// Exact softmax needs no certificate.
func.func @f(%q: tensor<3x8xf32>, %k: tensor<5x8xf32>, %v: tensor<5x4xf32>) {
  // expected-error@+1 {{has a certificate but its kernel is not a polynomial}}
  %0 = attn.attention %q, %k, %v scale 1.0 certificate <score_bound = 0.5, kernel_error = 0.1, weight_change = 0.1, rounding_error = 0.0, output_error = 0.1, max_keys = 8, assumption = proved> : tensor<3x8xf32>, tensor<5x8xf32>, tensor<5x4xf32> -> tensor<3x4xf32>
  return
}

// -----

// A state needs a polynomial.
func.func @f(%q: tensor<3x8xf32>, %k: tensor<5x8xf32>, %v: tensor<5x4xf32>) {
  // expected-error@+1 {{cannot be evaluated through a state: its kernel is not a polynomial}}
  %0 = attn.attention %q, %k, %v scale 1.0 evaluate state : tensor<3x8xf32>, tensor<5x8xf32>, tensor<5x4xf32> -> tensor<3x4xf32>
  return
}

// -----

// A state has no bias.
func.func @f(%q: tensor<3x8xf32>, %k: tensor<5x8xf32>, %v: tensor<5x4xf32>, %b: tensor<3x5xf32>) {
  // expected-error@+1 {{cannot be evaluated through a state: its scores have an additive bias}}
  %0 = attn.attention %q, %k, %v bias(%b : tensor<3x5xf32>) scale 1.0 kernel poly<[1.0, 1.0]> evaluate state : tensor<3x8xf32>, tensor<5x8xf32>, tensor<5x4xf32> -> tensor<3x4xf32>
  return
}

// -----

// A state has a static size.
func.func @f(%q: tensor<3x?xf32>, %k: tensor<5x?xf32>, %v: tensor<5x4xf32>) {
  // expected-error@+1 {{cannot be evaluated through a state: its head dimension is dynamic}}
  %0 = attn.attention %q, %k, %v scale 1.0 kernel poly<[1.0, 1.0]> evaluate state : tensor<3x?xf32>, tensor<5x?xf32>, tensor<5x4xf32> -> tensor<3x4xf32>
  return
}

// -----

// Not a mask.
func.func @f(%q: tensor<3x8xf32>, %k: tensor<5x8xf32>, %v: tensor<5x4xf32>) {
  // expected-error@+1 {{cannot stand here}}
  %0 = attn.attention %q, %k, %v scale 1.0 mask exp : tensor<3x8xf32>, tensor<5x8xf32>, tensor<5x4xf32> -> tensor<3x4xf32>
  return
}

// -----

// Not a kernel.
func.func @f(%q: tensor<3x8xf32>, %k: tensor<5x8xf32>, %v: tensor<5x4xf32>) {
  // expected-error@+1 {{cannot stand here}}
  %0 = attn.attention %q, %k, %v scale 1.0 kernel ("exp") : tensor<3x8xf32>, tensor<5x8xf32>, tensor<5x4xf32> -> tensor<3x4xf32>
  return
}

// -----

// Unknown mask.
func.func @f(%q: tensor<3x8xf32>, %k: tensor<5x8xf32>, %v: tensor<5x4xf32>) {
  // expected-error@+1 {{'diagonal' is no attribute of the attn dialect}}
  %0 = attn.attention %q, %k, %v scale 1.0 mask diagonal : tensor<3x8xf32>, tensor<5x8xf32>, tensor<5x4xf32> -> tensor<3x4xf32>
  return
}

// -----

// check_bound: rank.
func.func @f(%q: tensor<8xf32>, %k: tensor<8xf32>) {
  // expected-error@+1 {{query needs at least the dimensions [n, d], found rank 1}}
  %0 = attn.check_bound %q, %k scale 1.0 bound 0.5 max_norm 1.0 : tensor<8xf32>, tensor<8xf32>
  return
}

// -----

// check_bound: ranks differ.
func.func @f(%q: tensor<3x8xf32>, %k: tensor<1x5x8xf32>) {
  // expected-error@+1 {{query has rank 2 but key has rank 3}}
  %0 = attn.check_bound %q, %k scale 1.0 bound 0.5 max_norm 1.0 : tensor<3x8xf32>, tensor<1x5x8xf32>
  return
}

// -----

// check_bound: element types.
func.func @f(%q: tensor<3x8xf32>, %k: tensor<5x8xbf16>) {
  // expected-error@+1 {{query and key have different element types 'f32' and 'bf16'}}
  %0 = attn.check_bound %q, %k scale 1.0 bound 0.5 max_norm 1.0 : tensor<3x8xf32>, tensor<5x8xbf16>
  return
}

// -----

// check_bound: head dimension.
func.func @f(%q: tensor<3x8xf32>, %k: tensor<5x4xf32>) {
  // expected-error@+1 {{head dimension of query is 8 but of key is 4}}
  %0 = attn.check_bound %q, %k scale 1.0 bound 0.5 max_norm 1.0 : tensor<3x8xf32>, tensor<5x4xf32>
  return
}

// -----

// check_bound: heads.
func.func @f(%q: tensor<3x3x8xf32>, %k: tensor<2x5x8xf32>) {
  // expected-error@+1 {{has 3 query heads, which is not a multiple of its 2 key heads}}
  %0 = attn.check_bound %q, %k scale 1.0 bound 0.5 max_norm 1.0 : tensor<3x3x8xf32>, tensor<2x5x8xf32>
  return
}

// -----

// check_bound: batch.
func.func @f(%q: tensor<3x2x3x8xf32>, %k: tensor<2x2x5x8xf32>) {
  // expected-error@+1 {{batch dimension 0 of query is 3 but of key is 2}}
  %0 = attn.check_bound %q, %k scale 1.0 bound 0.5 max_norm 1.0 : tensor<3x2x3x8xf32>, tensor<2x2x5x8xf32>
  return
}

// -----

// check_bound: scale.
func.func @f(%q: tensor<3x8xf32>, %k: tensor<5x8xf32>) {
  // expected-error@+1 {{scale must be finite}}
  %0 = attn.check_bound %q, %k scale 0x7FF8000000000000 bound 0.5 max_norm 1.0 : tensor<3x8xf32>, tensor<5x8xf32>
  return
}

// -----

// check_bound: bound.
func.func @f(%q: tensor<3x8xf32>, %k: tensor<5x8xf32>) {
  // expected-error@+1 {{bound must be finite and at least 0}}
  %0 = attn.check_bound %q, %k scale 1.0 bound -0.5 max_norm 1.0 : tensor<3x8xf32>, tensor<5x8xf32>
  return
}

// -----

// check_bound: norm.
func.func @f(%q: tensor<3x8xf32>, %k: tensor<5x8xf32>) {
  // expected-error@+1 {{max_norm must be finite and at least 0}}
  %0 = attn.check_bound %q, %k scale 1.0 bound 0.5 max_norm 0x7FF0000000000000 : tensor<3x8xf32>, tensor<5x8xf32>
  return
}

// -----

// A kernel of degree 0 is the mean.
// expected-error@+1 {{needs at least two coefficients (degree 1), found 1}}
func.func private @f() attributes {a = #attn.poly<[1.0]>}

// -----

// No coefficient at all.
// expected-error@+1 {{needs at least two coefficients (degree 1), found 0}}
func.func private @f() attributes {a = #attn.poly<[]>}

// -----

// The degree is what it seems.
// expected-error@+1 {{the last coefficient is 0}}
func.func private @f() attributes {a = #attn.poly<[1.0, 1.0, 0.0]>}

// -----

// Finite coefficients.
// expected-error@+1 {{coefficients must be finite}}
func.func private @f() attributes {a = #attn.poly<[1.0, 1.0e400]>}

// -----

// A window holds the query's own position.
// expected-error@+1 {{window reaches -1 keys left and 0 right; both must be at least 0}}
func.func private @f() attributes {a = #attn.sliding_window<left = -1, right = 0>}

// -----

// ... on both sides.
// expected-error@+1 {{window reaches 0 keys left and -2 right; both must be at least 0}}
func.func private @f() attributes {a = #attn.sliding_window<left = 0, right = -2>}

// -----

// Prefix length.
// expected-error@+1 {{prefix length -1 is negative}}
func.func private @f() attributes {a = #attn.prefix<length = -1>}

// -----

// expected-error@+1 {{needs the number of tokens of at least one scale, as in scales = [1, 4, 9]}}
func.func private @f() attributes {a = #attn.block_causal<scales = []>}

// -----

// expected-error@+1 {{scale 1 has 0 tokens; leave it out, or give it at least one}}
func.func private @f() attributes {a = #attn.block_causal<scales = [1, 0x3]>}

// -----

// expected-error@+1 {{a scale of more than 2^48 tokens}}
func.func private @f() attributes {a = #attn.block_causal<scales = [1, 4294967296x4294967296x4294967296]>}

// -----

// expected-error@+1 {{scales have more than 2^48 tokens together}}
func.func private @f() attributes {a = #attn.block_causal<scales = [281474976710656, 1]>}

// -----

// Bound.
// expected-error@+1 {{score bound must be finite and at least 0}}
func.func private @f() attributes {a = #attn.bound<-0.5, proved>}

// -----

// Certificate: score_bound.
// expected-error@+1 {{certificate numbers must be finite and at least 0}}
func.func private @f() attributes {a = #attn.certificate<score_bound = -0.1, kernel_error = 0.1, weight_change = 0.1, rounding_error = 0.0, output_error = 0.1, max_keys = 8, assumption = proved>}

// -----

// Certificate: kernel_error.
// expected-error@+1 {{certificate numbers must be finite and at least 0}}
func.func private @f() attributes {a = #attn.certificate<score_bound = 0.5, kernel_error = -0.1, weight_change = 0.1, rounding_error = 0.0, output_error = 0.1, max_keys = 8, assumption = proved>}

// -----

// Certificate: weight_change.
// expected-error@+1 {{certificate numbers must be finite and at least 0}}
func.func private @f() attributes {a = #attn.certificate<score_bound = 0.5, kernel_error = 0.1, weight_change = -0.1, rounding_error = 0.0, output_error = 0.1, max_keys = 8, assumption = proved>}

// -----

// Certificate: rounding_error.
// expected-error@+1 {{certificate numbers must be finite and at least 0}}
func.func private @f() attributes {a = #attn.certificate<score_bound = 0.5, kernel_error = 0.1, weight_change = 0.1, rounding_error = -0.1, output_error = 0.1, max_keys = 8, assumption = proved>}

// -----

// Certificate: output_error.
// expected-error@+1 {{certificate numbers must be finite and at least 0}}
func.func private @f() attributes {a = #attn.certificate<score_bound = 0.5, kernel_error = 0.1, weight_change = 0.1, rounding_error = 0.0, output_error = -0.1, max_keys = 8, assumption = proved>}

// -----

// Certificate: keys.
// expected-error@+1 {{max_keys must be at least 1, found 0}}
func.func private @f() attributes {a = #attn.certificate<score_bound = 0.5, kernel_error = 0.1, weight_change = 0.1, rounding_error = 0.0, output_error = 0.1, max_keys = 0, assumption = proved>}

// -----

func.func @state_rank(%q: tensor<3x256xf32>) -> tensor<3x256xf32> {
  // expected-error@+1 {{cannot be evaluated through a state: its rank 186043585 exceeds 1048576}}
  %0 = attn.attention %q, %q, %q scale 1.0 kernel poly<[1.0, 1.0, 0.5, 0.1, 0.1]> evaluate state : tensor<3x256xf32>, tensor<3x256xf32>, tensor<3x256xf32> -> tensor<3x256xf32>
  return %0 : tensor<3x256xf32>
}

// -----

func.func @state_weights(%q: tensor<3x8xf32>) -> tensor<3x8xf32> {
  // expected-error@+1 {{cannot be evaluated through a state: its feature weights leave the range of normal numbers}}
  %0 = attn.attention %q, %q, %q scale 1.0e-20 kernel poly<[1.0, 1.0, 0.5]> evaluate state : tensor<3x8xf32>, tensor<3x8xf32>, tensor<3x8xf32> -> tensor<3x8xf32>
  return %0 : tensor<3x8xf32>
}

// -----

func.func @f(%x: tensor<2x8x16xf32>, %w: tensor<3x8xf32>) {
  // expected-error@+1 {{has 1 head_bounds; it must have as many as query heads}}
  %0 = attn.attention %x, %x, %x scale 1.0 bound <1.0, declared> head_bounds [#attn.bound<1.0, declared>] : tensor<2x8x16xf32>, tensor<2x8x16xf32>, tensor<2x8x16xf32> -> tensor<2x8x16xf32>
  return
}

// -----

func.func @f(%x: tensor<2x8x16xf32>, %w: tensor<3x8xf32>) {
  // expected-error@+1 {{has head_bounds but no bound}}
  %0 = attn.attention %x, %x, %x scale 1.0 head_bounds [#attn.bound<1.0, declared>, #attn.bound<1.0, declared>] : tensor<2x8x16xf32>, tensor<2x8x16xf32>, tensor<2x8x16xf32> -> tensor<2x8x16xf32>
  return
}

// -----

func.func @f(%x: tensor<2x8x16xf32>, %w: tensor<3x8xf32>) {
  // expected-error@+1 {{bound of head 1 exceeds the op's bound}}
  %0 = attn.attention %x, %x, %x scale 1.0 bound <1.0, declared> head_bounds [#attn.bound<1.0, declared>, #attn.bound<1.5, declared>] : tensor<2x8x16xf32>, tensor<2x8x16xf32>, tensor<2x8x16xf32> -> tensor<2x8x16xf32>
  return
}

// -----

func.func @f(%x: tensor<2x8x16xf32>, %w: tensor<3x8xf32>) {
  // expected-error@+1 {{a proved bound has none}}
  %0 = attn.attention %x, %x, %x scale 1.0 bound <1.0, proved, moments = <centred_bound = 1.0, second_moment = 0.1>> : tensor<2x8x16xf32>, tensor<2x8x16xf32>, tensor<2x8x16xf32> -> tensor<2x8x16xf32>
  return
}

// -----

// expected-error@+1 {{moments must be finite and at least 0}}
func.func private @f() attributes {a = #attn.moments<centred_bound = 1.0, second_moment = -0.1>}

// -----

func.func @f(%x: tensor<2x8x16xf32>, %w: tensor<3x8xf32>) {
  // expected-error@+1 {{has a mask or key_weights but no second_moment}}
  %0 = attn.check_bound %x, %x scale 1.0 bound 1.0 max_norm 1.0 mask causal : tensor<2x8x16xf32>, tensor<2x8x16xf32>
  return
}

// -----

func.func @f(%x: tensor<2x8x16xf32>, %w: tensor<3x8xf32>) {
  // expected-error@+1 {{key_weights dimension 0 is 3}}
  %0 = attn.check_bound %x, %x key_weights(%w : tensor<3x8xf32>) scale 1.0 bound 1.0 max_norm 1.0 second_moment 1.0 mean 1.0 : tensor<2x8x16xf32>, tensor<2x8x16xf32>
  return
}

// -----

func.func @f(%x: tensor<2x8x16xf32>, %w: tensor<3x8xf32>) {
  // expected-error@+1 {{second_moment and mean must be finite and at least 0}}
  %0 = attn.check_bound %x, %x scale 1.0 bound 1.0 max_norm 1.0 second_moment -1.0 mean 1.0 : tensor<2x8x16xf32>, tensor<2x8x16xf32>
  return
}

// -----

func.func @f(%x: tensor<2x8x16xf32>, %w: tensor<3x8xf32>) {
  // expected-error@+1 {{do not start at key 0}}
  %0 = attn.check_bound %x, %x scale 1.0 bound 1.0 max_norm 1.0 second_moment 1.0 mean 1.0 mask sliding_window<left = 4, right = 0> : tensor<2x8x16xf32>, tensor<2x8x16xf32>
  return
}

// -----

func.func @f(%x: tensor<2x8x16xf32>, %w: tensor<3x8xf32>) {
  // expected-error@+1 {{key_weights must have the shape of key without its last dimension}}
  %0 = attn.center_keys %w key_weights(%x : tensor<2x8x16xf32>) : tensor<3x8xf32>
  return
}

// -----

func.func @center(%x: tensor<8xf32>) {
  // expected-error@+1 {{key needs at least the dimensions [m, d], found rank 1}}
  %0 = attn.center_keys %x : tensor<8xf32>
  return
}

// -----

// expected-error@+1 {{nothing proves the moments of rows before the run}}
func.func private @f() attributes {a = #attn.certificate<score_bound = 0.5, kernel_error = 0.1, weight_change = 0.1, rounding_error = 0.0, output_error = 0.1, max_keys = 8, assumption = proved, moments = <second_moment = 0.1, mean = 0.0, quadratic = 0.6>>}
