// RUN: polyattn-opt %s | polyattn-opt | FileCheck %s
// RUN: polyattn-opt %s --mlir-print-op-generic | polyattn-opt | FileCheck %s

// The result has the outputs of the weight, in either layout.
// CHECK-LABEL: @linear
// CHECK: attn.lora_linear %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} scale 2.0{{.*}} : tensor<2x?x24xf32>, tensor<24x40xf32>, tensor<24x8xf32>, tensor<8x40xf32>
// CHECK: attn.lora_linear %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} bias(%{{.*}} : tensor<24xf32>) scale -5.0{{.*}}e-01 transposed : tensor<2x?x40xf32>, tensor<24x40xf32>, tensor<8x40xf32>, tensor<24x8xf32>
// CHECK: return %{{.*}}, %{{.*}} : tensor<2x?x40xf32>, tensor<2x?x24xf32>
func.func @linear(%x: tensor<2x?x24xf32>, %w: tensor<24x40xf32>, %a: tensor<24x8xf32>, %b: tensor<8x40xf32>,
                  %at: tensor<8x40xf32>, %bt: tensor<24x8xf32>, %bias: tensor<24xf32>) -> (tensor<2x?x40xf32>, tensor<2x?x24xf32>) {
  %0 = attn.lora_linear %x, %w, %a, %b scale 2.0 : tensor<2x?x24xf32>, tensor<24x40xf32>, tensor<24x8xf32>, tensor<8x40xf32>
  %1 = attn.lora_linear %0, %w, %at, %bt bias(%bias : tensor<24xf32>) scale -0.5 transposed
    : tensor<2x?x40xf32>, tensor<24x40xf32>, tensor<8x40xf32>, tensor<24x8xf32>
  return %0, %1 : tensor<2x?x40xf32>, tensor<2x?x24xf32>
}

// CHECK-LABEL: @adapters
// CHECK: attn.lora_linear %{{.*}} adapters(%{{.*}} : tensor<2x?xi64>) scale {{.*}} : tensor<2x?x24xbf16>, tensor<24x40xbf16>, tensor<?x24x8xf32>, tensor<?x8x40xf32>
func.func @adapters(%x: tensor<2x?x24xbf16>, %w: tensor<24x40xbf16>, %a: tensor<?x24x8xf32>, %b: tensor<?x8x40xf32>,
                    %i: tensor<2x?xi64>) -> tensor<2x?x40xbf16> {
  %0 = attn.lora_linear %x, %w, %a, %b adapters(%i : tensor<2x?xi64>) scale 1.0
    : tensor<2x?x24xbf16>, tensor<24x40xbf16>, tensor<?x24x8xf32>, tensor<?x8x40xf32>
  return %0 : tensor<2x?x40xbf16>
}

// CHECK-LABEL: @merge
// CHECK: attn.lora_merge %{{.*}}, %{{.*}}, %{{.*}} scale 2.0{{.*}} : tensor<24x40xf16>, tensor<24x8xf16>, tensor<8x40xf32>
// CHECK: attn.lora_merge %{{.*}}, %{{.*}}, %{{.*}} scale 1.0{{.*}} transposed : tensor<24x40xf16>, tensor<8x40xf32>, tensor<24x8xf16>
func.func @merge(%w: tensor<24x40xf16>, %a: tensor<24x8xf16>, %b: tensor<8x40xf32>) -> tensor<24x40xf16> {
  %0 = attn.lora_merge %w, %a, %b scale 2.0 : tensor<24x40xf16>, tensor<24x8xf16>, tensor<8x40xf32>
  %1 = attn.lora_merge %0, %b, %a scale 1.0 transposed : tensor<24x40xf16>, tensor<8x40xf32>, tensor<24x8xf16>
  return %1 : tensor<24x40xf16>
}

// Any of the three gradients, in this order.
// CHECK-LABEL: @grad
// CHECK: %{{.*}}, %{{.*}}, %{{.*}} = attn.lora_linear_grad {{.*}} -> x(tensor<?x24xf32>) a(tensor<24x8xf32>) b(tensor<8x40xf32>)
// CHECK: %{{.*}} = attn.lora_linear_grad {{.*}} -> a(tensor<24x8xf32>)
// CHECK: %{{.*}}, %{{.*}} = attn.lora_linear_grad {{.*}} -> x(tensor<?x24xf32>) b(tensor<8x40xf32>)
func.func @grad(%dy: tensor<?x40xf32>, %x: tensor<?x24xf32>, %w: tensor<24x40xf32>, %a: tensor<24x8xf32>, %b: tensor<8x40xf32>)
    -> (tensor<?x24xf32>, tensor<24x8xf32>, tensor<8x40xf32>, tensor<24x8xf32>, tensor<?x24xf32>, tensor<8x40xf32>) {
  %0, %1, %2 = attn.lora_linear_grad %dy, %x, %w, %a, %b scale 2.0
    : tensor<?x40xf32>, tensor<?x24xf32>, tensor<24x40xf32>, tensor<24x8xf32>, tensor<8x40xf32>
    -> x(tensor<?x24xf32>) a(tensor<24x8xf32>) b(tensor<8x40xf32>)
  %3 = attn.lora_linear_grad %dy, %x, %w, %a, %b scale 2.0
    : tensor<?x40xf32>, tensor<?x24xf32>, tensor<24x40xf32>, tensor<24x8xf32>, tensor<8x40xf32> -> a(tensor<24x8xf32>)
  %4, %5 = attn.lora_linear_grad %dy, %x, %w, %a, %b scale 2.0
    : tensor<?x40xf32>, tensor<?x24xf32>, tensor<24x40xf32>, tensor<24x8xf32>, tensor<8x40xf32>
    -> x(tensor<?x24xf32>) b(tensor<8x40xf32>)
  return %0, %1, %2, %3, %4, %5
    : tensor<?x24xf32>, tensor<24x8xf32>, tensor<8x40xf32>, tensor<24x8xf32>, tensor<?x24xf32>, tensor<8x40xf32>
}

// CHECK-LABEL: @grad_adapters
// CHECK: attn.lora_linear_grad {{.*}} adapters(%{{.*}} : tensor<?xi32>) scale {{.*}} transposed : {{.*}} -> b(tensor<4x40x8xf32>)
func.func @grad_adapters(%dy: tensor<?x40xf32>, %x: tensor<?x24xf32>, %w: tensor<40x24xf32>, %a: tensor<4x8x24xf32>,
                         %b: tensor<4x40x8xf32>, %i: tensor<?xi32>) -> tensor<4x40x8xf32> {
  %0 = attn.lora_linear_grad %dy, %x, %w, %a, %b adapters(%i : tensor<?xi32>) scale 2.0 transposed
    : tensor<?x40xf32>, tensor<?x24xf32>, tensor<40x24xf32>, tensor<4x8x24xf32>, tensor<4x40x8xf32> -> b(tensor<4x40x8xf32>)
  return %0 : tensor<4x40x8xf32>
}
