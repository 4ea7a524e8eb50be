// Merged: the adapter is added to the weight.
//
// ARGS: normal small small small
// RUN: polyattn-opt %s --pass-pipeline='builtin.module(attn-raise)' | FileCheck %s
// CHECK: attn.lora_merge {{.*}}scale {{(1\.9999[0-9]*|2\.0000[0-9]*|2\.000000e\+00)}}{{.*}}transposed
// CHECK-NOT: math.exp

#map = affine_map<(d0, d1) -> (d0, d1)>
module {
  func.func @main(%arg0: tensor<5x8xf32>, %arg1: tensor<6x8xf32>, %arg2: tensor<2x8xf32>, %arg3: tensor<6x2xf32>) -> tensor<5x6xf32> {
    %cst = arith.constant 0.000000e+00 : f32
    %cst_0 = arith.constant 2.000000e+00 : f32
    %0 = tensor.empty() : tensor<6x8xf32>
    %1 = linalg.fill ins(%cst : f32) outs(%0 : tensor<6x8xf32>) -> tensor<6x8xf32>
    %2 = linalg.matmul ins(%arg3, %arg2 : tensor<6x2xf32>, tensor<2x8xf32>) outs(%1 : tensor<6x8xf32>) -> tensor<6x8xf32>
    %3 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel"]} ins(%2 : tensor<6x8xf32>) outs(%0 : tensor<6x8xf32>) {
    ^bb0(%in: f32, %out: f32):
      %9 = arith.mulf %in, %cst_0 : f32
      linalg.yield %9 : f32
    } -> tensor<6x8xf32>
    %4 = linalg.generic {indexing_maps = [#map, #map, #map], iterator_types = ["parallel", "parallel"]} ins(%arg1, %3 : tensor<6x8xf32>, tensor<6x8xf32>) outs(%0 : tensor<6x8xf32>) {
    ^bb0(%in: f32, %in_1: f32, %out: f32):
      %9 = arith.addf %in, %in_1 : f32
      linalg.yield %9 : f32
    } -> tensor<6x8xf32>
    %5 = tensor.empty() : tensor<8x6xf32>
    %transposed = linalg.transpose ins(%4 : tensor<6x8xf32>) outs(%5 : tensor<8x6xf32>) permutation = [1, 0]
    %6 = tensor.empty() : tensor<5x6xf32>
    %7 = linalg.fill ins(%cst : f32) outs(%6 : tensor<5x6xf32>) -> tensor<5x6xf32>
    %8 = linalg.matmul ins(%arg0, %transposed : tensor<5x8xf32>, tensor<8x6xf32>) outs(%7 : tensor<5x6xf32>) -> tensor<5x6xf32>
    return %8 : tensor<5x6xf32>
  }
}
