// RUN: polyattn-opt %s --split-input-file --verify-diagnostics

func.func @f(%x: tensor<?x24xf32>, %w: tensor<24x40xf32>, %a: tensor<24x8xf32>, %b: tensor<8x41xf32>) {
  // expected-error @+1 {{the output size of b is 41 but weight has 40; matrices are [in, out], [in, r] and [r, out] without `transposed`}}
  %0 = attn.lora_linear %x, %w, %a, %b scale 1.0 : tensor<?x24xf32>, tensor<24x40xf32>, tensor<24x8xf32>, tensor<8x41xf32>
  return
}

// -----

func.func @f(%x: tensor<?x24xf32>, %w: tensor<24x40xf32>, %a: tensor<24x8xf32>, %b: tensor<9x40xf32>) {
  // expected-error @+1 {{the rank of a is 8 but b has 9}}
  %0 = attn.lora_linear %x, %w, %a, %b scale 1.0 : tensor<?x24xf32>, tensor<24x40xf32>, tensor<24x8xf32>, tensor<9x40xf32>
  return
}

// -----

func.func @f(%x: tensor<?x24xf32>, %w: tensor<40x24xf32>, %a: tensor<8x24xf32>, %b: tensor<40x8xf32>) {
  // expected-error @+1 {{the input size of a is 8 but weight has 40; matrices are [in, out]}}
  %0 = attn.lora_linear %x, %w, %a, %b scale 1.0 : tensor<?x24xf32>, tensor<40x24xf32>, tensor<8x24xf32>, tensor<40x8xf32>
  return
}

// -----

func.func @f(%x: tensor<?x24xf32>, %w: tensor<24x40xf32>, %a: tensor<24x8xf32>, %b: tensor<8x40xf32>) {
  // expected-error @+1 {{the input size of a is 8 but weight has 40; transposed matrices are [out, in], [r, in] and [out, r]}}
  %0 = attn.lora_linear %x, %w, %a, %b scale 1.0 transposed : tensor<?x24xf32>, tensor<24x40xf32>, tensor<24x8xf32>, tensor<8x40xf32>
  return
}

// -----

func.func @f(%x: tensor<?x25xf32>, %w: tensor<24x40xf32>, %a: tensor<24x8xf32>, %b: tensor<8x40xf32>) {
  // expected-error @+1 {{x's last dimension is 25 but weight has 24}}
  %0 = attn.lora_linear %x, %w, %a, %b scale 1.0 : tensor<?x25xf32>, tensor<24x40xf32>, tensor<24x8xf32>, tensor<8x40xf32>
  return
}

// -----

func.func @f(%x: tensor<?x24xf32>, %w: tensor<24x40xf32>, %a: tensor<3x24x8xf32>, %b: tensor<3x8x40xf32>) {
  // expected-error @+1 {{needs a and b of two dimensions, or `adapters` that say which one each row uses, found 'tensor<3x24x8xf32>'}}
  %0 = attn.lora_linear %x, %w, %a, %b scale 1.0 : tensor<?x24xf32>, tensor<24x40xf32>, tensor<3x24x8xf32>, tensor<3x8x40xf32>
  return
}

// -----

func.func @f(%x: tensor<?x24xf32>, %w: tensor<24x40xf32>, %a: tensor<24x8xf32>, %b: tensor<8x40xf32>, %i: tensor<?xi32>) {
  // expected-error @+1 {{needs a and b of three dimensions, the first of which counts adapters, found 'tensor<24x8xf32>'}}
  %0 = attn.lora_linear %x, %w, %a, %b adapters(%i : tensor<?xi32>) scale 1.0 : tensor<?x24xf32>, tensor<24x40xf32>, tensor<24x8xf32>, tensor<8x40xf32>
  return
}

// -----

func.func @f(%x: tensor<5x24xf32>, %w: tensor<24x40xf32>, %a: tensor<3x24x8xf32>, %b: tensor<3x8x40xf32>, %i: tensor<6xi32>) {
  // expected-error @+1 {{adapters must have one entry for each row of x, so the shape of x without its last dimension; found 'tensor<6xi32>' beside 'tensor<5x24xf32>'}}
  %0 = attn.lora_linear %x, %w, %a, %b adapters(%i : tensor<6xi32>) scale 1.0 : tensor<5x24xf32>, tensor<24x40xf32>, tensor<3x24x8xf32>, tensor<3x8x40xf32>
  return
}

// -----

func.func @f(%x: tensor<5x24xf32>, %w: tensor<24x40xf32>, %a: tensor<3x24x8xf32>, %b: tensor<4x8x40xf32>, %i: tensor<5xi32>) {
  // expected-error @+1 {{a has 3 adapters but b 4}}
  %0 = attn.lora_linear %x, %w, %a, %b adapters(%i : tensor<5xi32>) scale 1.0 : tensor<5x24xf32>, tensor<24x40xf32>, tensor<3x24x8xf32>, tensor<4x8x40xf32>
  return
}

// -----

func.func @f(%x: tensor<?x24xf32>, %w: tensor<24x40xbf16>, %a: tensor<24x8xf32>, %b: tensor<8x40xf32>) {
  // expected-error @+1 {{has inputs of 'f32' but a weight of 'bf16'}}
  %0 = attn.lora_linear %x, %w, %a, %b scale 1.0 : tensor<?x24xf32>, tensor<24x40xbf16>, tensor<24x8xf32>, tensor<8x40xf32>
  return
}

// -----

func.func @f(%x: tensor<?x24xf32>, %w: tensor<24x40xf32>, %a: tensor<24x8xf16>, %b: tensor<8x40xf32>) {
  // expected-error @+1 {{a and b must be of 'f32', found 'f16'}}
  %0 = attn.lora_linear %x, %w, %a, %b scale 1.0 : tensor<?x24xf32>, tensor<24x40xf32>, tensor<24x8xf16>, tensor<8x40xf32>
  return
}

// -----

func.func @f(%x: tensor<?x24xbf16>, %w: tensor<24x40xbf16>, %a: tensor<24x8xbf16>, %b: tensor<8x40xf16>) {
  // expected-error @+1 {{a and b must be of 'bf16' or 'f32', found 'f16'}}
  %0 = attn.lora_linear %x, %w, %a, %b scale 1.0 : tensor<?x24xbf16>, tensor<24x40xbf16>, tensor<24x8xbf16>, tensor<8x40xf16>
  return
}

// -----

func.func @f(%x: tensor<?x24xf64>, %w: tensor<24x40xf64>, %a: tensor<24x8xf64>, %b: tensor<8x40xf32>) {
  // expected-error @+1 {{a and b must be of 'f64', found 'f32'}}
  %0 = attn.lora_linear %x, %w, %a, %b scale 1.0 : tensor<?x24xf64>, tensor<24x40xf64>, tensor<24x8xf64>, tensor<8x40xf32>
  return
}

// -----

func.func @f(%x: tensor<?x24xf32>, %w: tensor<24x40xf32>, %a: tensor<24x8xf32>, %b: tensor<8x40xf32>, %c: tensor<24xf32>) {
  // expected-error @+1 {{bias must have one entry for each of 40 outputs, found 'tensor<24xf32>'}}
  %0 = attn.lora_linear %x, %w, %a, %b bias(%c : tensor<24xf32>) scale 1.0 : tensor<?x24xf32>, tensor<24x40xf32>, tensor<24x8xf32>, tensor<8x40xf32>
  return
}

// -----

func.func @f(%x: tensor<?x24xf32>, %w: tensor<24x40xf32>, %a: tensor<24x8xf32>, %b: tensor<8x40xf32>, %c: tensor<40xf64>) {
  // expected-error @+1 {{bias must be of 'f32', found 'f64'}}
  %0 = attn.lora_linear %x, %w, %a, %b bias(%c : tensor<40xf64>) scale 1.0 : tensor<?x24xf32>, tensor<24x40xf32>, tensor<24x8xf32>, tensor<8x40xf32>
  return
}

// -----

func.func @f(%x: tensor<?x24xf32>, %w: tensor<24x40xf32>, %a: tensor<24x8xf32>, %b: tensor<8x40xf32>) {
  // expected-error @+1 {{scale must be finite}}
  %0 = attn.lora_linear %x, %w, %a, %b scale 0x7FF0000000000000 : tensor<?x24xf32>, tensor<24x40xf32>, tensor<24x8xf32>, tensor<8x40xf32>
  return
}

// -----

func.func @f(%x: tensor<24xf32>, %w: tensor<24x40xf32>, %a: tensor<24x8xf32>, %b: tensor<8x40xf32>) {
  // expected-error @+1 {{op needs inputs [.., n, in] and a weight of two dimensions}}
  %0 = attn.lora_linear %x, %w, %a, %b scale 1.0 : tensor<24xf32>, tensor<24x40xf32>, tensor<24x8xf32>, tensor<8x40xf32>
  return
}

// -----

func.func @f(%x: tensor<?x24xf32>, %w: tensor<2x24x40xf32>, %a: tensor<24x8xf32>, %b: tensor<8x40xf32>) {
  // expected-error @+1 {{op needs inputs [.., n, in] and a weight of two dimensions}}
  %0 = attn.lora_linear %x, %w, %a, %b scale 1.0 : tensor<?x24xf32>, tensor<2x24x40xf32>, tensor<24x8xf32>, tensor<8x40xf32>
  return
}

// -----

func.func @f(%w: tensor<24x40xf32>, %a: tensor<24x8xf32>, %b: tensor<8x24xf32>) {
  // expected-error @+1 {{the output size of b is 24 but weight has 40}}
  %0 = attn.lora_merge %w, %a, %b scale 1.0 : tensor<24x40xf32>, tensor<24x8xf32>, tensor<8x24xf32>
  return
}

// -----

func.func @f(%w: tensor<1x24x40xf32>, %a: tensor<24x8xf32>, %b: tensor<8x24xf32>) {
  // expected-error @+1 {{needs a weight of two dimensions, found 'tensor<1x24x40xf32>'}}
  %0 = attn.lora_merge %w, %a, %b scale 1.0 : tensor<1x24x40xf32>, tensor<24x8xf32>, tensor<8x24xf32>
  return
}

// -----

func.func @f(%dy: tensor<?x40xf32>, %x: tensor<?x24xf32>, %w: tensor<24x40xf32>, %a: tensor<24x8xf32>, %b: tensor<8x40xf32>) {
  // expected-error @+1 {{computes nothing; ask for the gradient of x, a or b}}
  attn.lora_linear_grad %dy, %x, %w, %a, %b scale 1.0 : tensor<?x40xf32>, tensor<?x24xf32>, tensor<24x40xf32>, tensor<24x8xf32>, tensor<8x40xf32> -> 
  return
}

// -----

func.func @f(%dy: tensor<?x24xf32>, %x: tensor<?x24xf32>, %w: tensor<24x40xf32>, %a: tensor<24x8xf32>, %b: tensor<8x40xf32>) {
  // expected-error @+1 {{dy's last dimension is 24 but weight has 40}}
  %0 = attn.lora_linear_grad %dy, %x, %w, %a, %b scale 1.0 : tensor<?x24xf32>, tensor<?x24xf32>, tensor<24x40xf32>, tensor<24x8xf32>, tensor<8x40xf32> -> a(tensor<24x8xf32>)
  return
}

// -----

func.func @f(%dy: tensor<2x?x40xf32>, %x: tensor<?x24xf32>, %w: tensor<24x40xf32>, %a: tensor<24x8xf32>, %b: tensor<8x40xf32>) {
  // expected-error @+1 {{dy must have x's element type and dimensions but the last; found 'tensor<2x?x40xf32>' beside 'tensor<?x24xf32>'}}
  %0 = attn.lora_linear_grad %dy, %x, %w, %a, %b scale 1.0 : tensor<2x?x40xf32>, tensor<?x24xf32>, tensor<24x40xf32>, tensor<24x8xf32>, tensor<8x40xf32> -> a(tensor<24x8xf32>)
  return
}

// -----

func.func @f(%dy: tensor<5x40xf32>, %x: tensor<6x24xf32>, %w: tensor<24x40xf32>, %a: tensor<24x8xf32>, %b: tensor<8x40xf32>) {
  // expected-error @+1 {{dy must have x's element type and dimensions but the last}}
  %0 = attn.lora_linear_grad %dy, %x, %w, %a, %b scale 1.0 : tensor<5x40xf32>, tensor<6x24xf32>, tensor<24x40xf32>, tensor<24x8xf32>, tensor<8x40xf32> -> a(tensor<24x8xf32>)
  return
}

// -----

func.func @f(%dy: tensor<?x40xf32>, %x: tensor<?x24xf32>, %w: tensor<24x40xf32>, %a: tensor<24x8xf32>, %b: tensor<8x40xf32>) {
  // expected-error @+1 {{a gradient has the type of what it is of, 'tensor<24x8xf32>', found 'tensor<8x24xf32>'}}
  %0, %1 = attn.lora_linear_grad %dy, %x, %w, %a, %b scale 1.0 : tensor<?x40xf32>, tensor<?x24xf32>, tensor<24x40xf32>, tensor<24x8xf32>, tensor<8x40xf32> -> x(tensor<?x24xf32>) a(tensor<8x24xf32>)
  return
}
