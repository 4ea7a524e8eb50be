// RUN: polyattn-opt %s | polyattn-opt | FileCheck %s
// RUN: polyattn-opt %s --mlir-print-op-generic | polyattn-opt | FileCheck %s

// CHECK-LABEL: @update
// CHECK: attn.state_update %{{.*}}, %{{.*}}, %{{.*}} : tensor<2x4x9x45xf64>, tensor<2x4x?x8xbf16>, tensor<2x4x?x8xbf16>
// CHECK: attn.state_update %{{.*}}, %{{.*}}, %{{.*}} key_weights(%{{.*}} : tensor<1x4x?xf32>) : tensor<2x4x9x45xf64>
func.func @update(%s: tensor<2x4x9x45xf64>, %k: tensor<2x4x?x8xbf16>, %v: tensor<2x4x?x8xbf16>,
                  %w: tensor<1x4x?xf32>) -> tensor<2x4x9x45xf64> {
  %1 = attn.state_update %s, %k, %v : tensor<2x4x9x45xf64>, tensor<2x4x?x8xbf16>, tensor<2x4x?x8xbf16>
  %2 = attn.state_update %1, %k, %v key_weights(%w : tensor<1x4x?xf32>)
    : tensor<2x4x9x45xf64>, tensor<2x4x?x8xbf16>, tensor<2x4x?x8xbf16>
  return %2 : tensor<2x4x9x45xf64>
}

// The result has the columns of the state but one.
// CHECK-LABEL: @apply
// CHECK: attn.state_apply %{{.*}} states(%{{.*}} : tensor<2x6x45xf32>) scale 2.5{{.*}}e-01 kernel poly<[1.0{{.*}}, 1.0{{.*}}, 5.0{{.*}}]> : tensor<8x?x8xf32>
// CHECK: attn.state_apply %{{.*}} states(%{{.*}}, %{{.*}} : tensor<2x6x45xf32>, tensor<2x6x45xf32>) scale 1.0{{.*}} kernel poly<[1.0{{.*}}, 1.0{{.*}}]> unnormalised : tensor<8x?x8xf32>
// CHECK: return %{{.*}}, %{{.*}} : tensor<8x?x5xf32>, tensor<8x?x5xf32>
func.func @apply(%q: tensor<8x?x8xf32>, %s: tensor<2x6x45xf32>) -> (tensor<8x?x5xf32>, tensor<8x?x5xf32>) {
  %1 = attn.state_apply %q states(%s : tensor<2x6x45xf32>) scale 0.25 kernel poly<[1.0, 1.0, 0.5]> : tensor<8x?x8xf32>
  %2 = attn.state_apply %q states(%s, %s : tensor<2x6x45xf32>, tensor<2x6x45xf32>) scale 1.0
    kernel poly<[1.0, 1.0]> unnormalised : tensor<8x?x8xf32>
  return %1, %2 : tensor<8x?x5xf32>, tensor<8x?x5xf32>
}

// CHECK-LABEL: @step
// CHECK: %{{.*}}, %{{.*}}:2 = attn.state_step %{{.*}} keys(%{{.*}}, %{{.*}} : tensor<?x4xf16>, tensor<?x4xf16>) values(%{{.*}}, %{{.*}} : tensor<?x3xf16>, tensor<?x3xf16>)
// CHECK-SAME: key_weights(%{{.*}}, %{{.*}} : tensor<?xf32>, tensor<?xf16>) states(%{{.*}}, %{{.*}} : tensor<4x5xf32>, tensor<4x5xf32>)
// CHECK-SAME: scale 1.0{{.*}} kernel poly<[1.0{{.*}}, 1.0{{.*}}]> : tensor<?x4xf16>
func.func @step(%q: tensor<?x4xf16>, %v: tensor<?x3xf16>, %w: tensor<?xf32>, %x: tensor<?xf16>, %s: tensor<4x5xf32>)
    -> (tensor<?x3xf16>, tensor<4x5xf32>, tensor<4x5xf32>) {
  %r:3 = attn.state_step %q keys(%q, %q : tensor<?x4xf16>, tensor<?x4xf16>) values(%v, %v : tensor<?x3xf16>, tensor<?x3xf16>)
    key_weights(%w, %x : tensor<?xf32>, tensor<?xf16>) states(%s, %s : tensor<4x5xf32>, tensor<4x5xf32>)
    scale 1.0 kernel poly<[1.0, 1.0]> : tensor<?x4xf16>
  return %r#0, %r#1, %r#2 : tensor<?x3xf16>, tensor<4x5xf32>, tensor<4x5xf32>
}
