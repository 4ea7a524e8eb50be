// RUN: polyattn-opt %s --canonicalize | FileCheck %s

// An adapter that adds nothing becomes one of rank 0: scale 0, or a matrix of
// zeros.
// CHECK-LABEL: @nothing
// CHECK: %[[A:.*]] = tensor.empty() : tensor<24x0xf32>
// CHECK: %[[B:.*]] = tensor.empty() : tensor<0x40xf32>
// CHECK: attn.lora_linear %{{.*}}, %{{.*}}, %[[A]], %[[B]] scale 0.0{{.*}} : tensor<?x24xf32>, tensor<24x40xf32>, tensor<24x0xf32>, tensor<0x40xf32>
// CHECK: attn.lora_linear {{.*}} scale 0.0{{.*}} : tensor<?x24xf32>, tensor<24x40xf32>, tensor<24x0xf32>, tensor<0x40xf32>
func.func @nothing(%x: tensor<?x24xf32>, %w: tensor<24x40xf32>, %a: tensor<24x8xf32>, %b: tensor<8x40xf32>)
    -> (tensor<?x40xf32>, tensor<?x40xf32>) {
  %zero = arith.constant dense<0.0> : tensor<8x40xf32>
  %0 = attn.lora_linear %x, %w, %a, %b scale 0.0 : tensor<?x24xf32>, tensor<24x40xf32>, tensor<24x8xf32>, tensor<8x40xf32>
  %1 = attn.lora_linear %x, %w, %a, %zero scale 2.0 : tensor<?x24xf32>, tensor<24x40xf32>, tensor<24x8xf32>, tensor<8x40xf32>
  return %0, %1 : tensor<?x40xf32>, tensor<?x40xf32>
}

// Nobody is asked which one then.
// CHECK-LABEL: @no_adapter_of_several
// CHECK-NOT: adapters
// CHECK: attn.lora_linear {{.*}} scale 0.0{{.*}} transposed : tensor<?x24xf32>, tensor<40x24xf32>, tensor<0x24xf32>, tensor<40x0xf32>
func.func @no_adapter_of_several(%x: tensor<?x24xf32>, %w: tensor<40x24xf32>, %b: tensor<3x40x8xf32>, %i: tensor<?xi32>) -> tensor<?x40xf32> {
  %zero = arith.constant dense<0.0> : tensor<3x8x24xf32>
  %0 = attn.lora_linear %x, %w, %zero, %b adapters(%i : tensor<?xi32>) scale 2.0 transposed
    : tensor<?x24xf32>, tensor<40x24xf32>, tensor<3x8x24xf32>, tensor<3x40x8xf32>
  return %0 : tensor<?x40xf32>
}

// What may add something stays: neither a constant other than 0, nor a bias of
// others.
// CHECK-LABEL: @something
// CHECK: attn.lora_linear {{.*}} bias({{.*}}) scale 1.0{{.*}} : tensor<?x24xf32>, tensor<24x40xf32>, tensor<24x8xf32>, tensor<8x40xf32>
func.func @something(%x: tensor<?x24xf32>, %w: tensor<24x40xf32>, %a: tensor<24x8xf32>, %bias: tensor<40xf32>) -> tensor<?x40xf32> {
  %one = arith.constant dense<1.0e-30> : tensor<8x40xf32>
  %0 = attn.lora_linear %x, %w, %a, %one bias(%bias : tensor<40xf32>) scale 1.0
    : tensor<?x24xf32>, tensor<24x40xf32>, tensor<24x8xf32>, tensor<8x40xf32>
  return %0 : tensor<?x40xf32>
}

// CHECK-LABEL: @no_bias
// CHECK-NOT: bias(
// CHECK: attn.lora_linear {{.*}} scale 1.0{{.*}} : tensor<?x24xf32>, tensor<24x40xf32>, tensor<24x8xf32>
func.func @no_bias(%x: tensor<?x24xf32>, %w: tensor<24x40xf32>, %a: tensor<24x8xf32>, %b: tensor<8x40xf32>) -> tensor<?x40xf32> {
  %zero = arith.constant dense<0.0> : tensor<40xf32>
  %0 = attn.lora_linear %x, %w, %a, %b bias(%zero : tensor<40xf32>) scale 1.0
    : tensor<?x24xf32>, tensor<24x40xf32>, tensor<24x8xf32>, tensor<8x40xf32>
  return %0 : tensor<?x40xf32>
}

// CHECK-LABEL: @merge_nothing
// CHECK-SAME: %[[W:.*]]: tensor<24x40xf32>
// CHECK-NEXT: return %[[W]], %[[W]]
func.func @merge_nothing(%w: tensor<24x40xf32>, %a: tensor<24x8xf32>, %b: tensor<8x40xf32>, %a0: tensor<24x0xf32>, %b0: tensor<0x40xf32>)
    -> (tensor<24x40xf32>, tensor<24x40xf32>) {
  %0 = attn.lora_merge %w, %a, %b scale 0.0 : tensor<24x40xf32>, tensor<24x8xf32>, tensor<8x40xf32>
  %1 = attn.lora_merge %w, %a0, %b0 scale 2.0 : tensor<24x40xf32>, tensor<24x0xf32>, tensor<0x40xf32>
  return %0, %1 : tensor<24x40xf32>, tensor<24x40xf32>
}

// CHECK-LABEL: @merge
// CHECK: attn.lora_merge
func.func @merge(%w: tensor<24x40xf32>, %a: tensor<24x8xf32>, %b: tensor<8x40xf32>) -> tensor<24x40xf32> {
  %0 = attn.lora_merge %w, %a, %b scale 1.0e-10 : tensor<24x40xf32>, tensor<24x8xf32>, tensor<8x40xf32>
  return %0 : tensor<24x40xf32>
}

// Gradients that nobody uses are not computed.
// CHECK-LABEL: @unused
// CHECK: %[[B:.*]] = attn.lora_linear_grad {{.*}} -> b(tensor<8x40xf32>)
// CHECK: return %[[B]]
func.func @unused(%dy: tensor<?x40xf32>, %x: tensor<?x24xf32>, %w: tensor<24x40xf32>, %a: tensor<24x8xf32>, %b: tensor<8x40xf32>) -> tensor<8x40xf32> {
  %0, %1, %2 = attn.lora_linear_grad %dy, %x, %w, %a, %b scale 2.0
    : tensor<?x40xf32>, tensor<?x24xf32>, tensor<24x40xf32>, tensor<24x8xf32>, tensor<8x40xf32>
    -> x(tensor<?x24xf32>) a(tensor<24x8xf32>) b(tensor<8x40xf32>)
  return %2 : tensor<8x40xf32>
}
