// RUN: polyattn-opt %s | polyattn-opt | FileCheck %s
// RUN: polyattn-opt %s --mlir-print-op-generic | polyattn-opt | FileCheck %s

// CHECK-LABEL: @normalizer
// CHECK: attn.normalizer %{{.*}}, %{{.*}} scale 1.250{{.*}}e-01 : tensor<8x?x64xbf16>, tensor<2x?x64xbf16> -> tensor<8x?xf32>
// CHECK: attn.normalizer %{{.*}}, %{{.*}} bias(%{{.*}} : tensor<1x?x1xbf16>) key_weights(%{{.*}} : tensor<1x?xf32>)
// CHECK-SAME: scale 1.250{{.*}}e-01 kernel poly<[1.0{{.*}}, 1.0{{.*}}]> mask causal : tensor<8x?x64xbf16>
func.func @normalizer(%q: tensor<8x?x64xbf16>, %k: tensor<2x?x64xbf16>, %b: tensor<1x?x1xbf16>, %w: tensor<1x?xf32>)
    -> (tensor<8x?xf32>, tensor<8x?xf32>) {
  %1 = attn.normalizer %q, %k scale 0.125 : tensor<8x?x64xbf16>, tensor<2x?x64xbf16> -> tensor<8x?xf32>
  %2 = attn.normalizer %q, %k bias(%b : tensor<1x?x1xbf16>) key_weights(%w : tensor<1x?xf32>) scale 0.125
    kernel poly<[1.0, 1.0]> mask causal : tensor<8x?x64xbf16>, tensor<2x?x64xbf16> -> tensor<8x?xf32>
  return %1, %2 : tensor<8x?xf32>, tensor<8x?xf32>
}

// CHECK-LABEL: @plain
// CHECK: %{{.*}}, %{{.*}}, %{{.*}} = attn.attention_grad %{{.*}}, %{{.*}}, %{{.*}} output(%{{.*}}) normalizer(%{{.*}} : tensor<?xf64>)
// CHECK-SAME: grad_output(%{{.*}}) scale 1.0{{.*}} : tensor<?x4xf64>, tensor<9x4xf64>, tensor<9x3xf64>, tensor<?x3xf64>
func.func @plain(%q: tensor<?x4xf64>, %k: tensor<9x4xf64>, %v: tensor<9x3xf64>, %o: tensor<?x3xf64>, %z: tensor<?xf64>)
    -> tensor<9x3xf64> {
  %dq, %dk, %dv = attn.attention_grad %q, %k, %v output(%o) normalizer(%z : tensor<?xf64>) grad_output(%o)
    scale 1.0 : tensor<?x4xf64>, tensor<9x4xf64>, tensor<9x3xf64>, tensor<?x3xf64>
  return %dv : tensor<9x3xf64>
}

// Gradients of bias and key weights come after those of query, key and value.
// CHECK-LABEL: @all
// CHECK: %{{.*}}, %{{.*}}, %{{.*}}, %[[FURTHER:.*]]:2 = attn.attention_grad %{{.*}}, %{{.*}}, %{{.*}} bias(%{{.*}} : tensor<1x5x1xf16>)
// CHECK-SAME: key_weights(%{{.*}} : tensor<2x?xf32>) output(%{{.*}}) normalizer(%{{.*}} : tensor<4x5xf32>) grad_output(%{{.*}})
// CHECK-SAME: scale 5.0{{.*}}e-01 kernel poly<[1.0{{.*}}, 1.0{{.*}}, 5.0{{.*}}]> mask sliding_window<left = 3, right = 0>
// CHECK: return %[[FURTHER]]#0, %[[FURTHER]]#1 : tensor<1x5x1xf16>, tensor<2x?xf32>
func.func @all(%q: tensor<4x5x8xf16>, %k: tensor<2x?x8xf16>, %b: tensor<1x5x1xf16>, %w: tensor<2x?xf32>, %z: tensor<4x5xf32>)
    -> (tensor<1x5x1xf16>, tensor<2x?xf32>) {
  %dq, %dk, %dv, %more:2 = attn.attention_grad %q, %k, %k bias(%b : tensor<1x5x1xf16>) key_weights(%w : tensor<2x?xf32>)
    output(%q) normalizer(%z : tensor<4x5xf32>) grad_output(%q) scale 0.5 kernel poly<[1.0, 1.0, 0.5]>
    mask sliding_window<left = 3, right = 0> : tensor<4x5x8xf16>, tensor<2x?x8xf16>, tensor<2x?x8xf16>, tensor<4x5x8xf16>
  return %more#0, %more#1 : tensor<1x5x1xf16>, tensor<2x?xf32>
}
