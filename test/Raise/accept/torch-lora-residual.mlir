// Beside a residual, which stays outside.
//
// ARGS: normal small small small
// RUN: polyattn-opt %s --pass-pipeline='builtin.module(attn-raise)' | FileCheck %s
// CHECK: attn.lora_linear {{.*}}scale {{(1\.9999[0-9]*|2\.0000[0-9]*|2\.000000e\+00)}}
// CHECK-NOT: math.exp

#map = affine_map<(d0, d1) -> (d0, d1)>
module {
  func.func @main(%arg0: tensor<4x8xf32>, %arg1: tensor<8x8xf32>, %arg2: tensor<2x8xf32>, %arg3: tensor<8x2xf32>) -> tensor<4x8xf32> {
    %cst = arith.constant 0.000000e+00 : f32
    %cst_0 = arith.constant 2.000000e+00 : f32
    %0 = tensor.empty() : tensor<8x8xf32>
    %transposed = linalg.transpose ins(%arg1 : tensor<8x8xf32>) outs(%0 : tensor<8x8xf32>) permutation = [1, 0]
    %1 = tensor.empty() : tensor<4x8xf32>
    %2 = linalg.fill ins(%cst : f32) outs(%1 : tensor<4x8xf32>) -> tensor<4x8xf32>
    %3 = linalg.matmul ins(%arg0, %transposed : tensor<4x8xf32>, tensor<8x8xf32>) outs(%2 : tensor<4x8xf32>) -> tensor<4x8xf32>
    %4 = tensor.empty() : tensor<8x2xf32>
    %transposed_1 = linalg.transpose ins(%arg2 : tensor<2x8xf32>) outs(%4 : tensor<8x2xf32>) permutation = [1, 0]
    %5 = tensor.empty() : tensor<4x2xf32>
    %6 = linalg.fill ins(%cst : f32) outs(%5 : tensor<4x2xf32>) -> tensor<4x2xf32>
    %7 = linalg.matmul ins(%arg0, %transposed_1 : tensor<4x8xf32>, tensor<8x2xf32>) outs(%6 : tensor<4x2xf32>) -> tensor<4x2xf32>
    %8 = tensor.empty() : tensor<2x8xf32>
    %transposed_2 = linalg.transpose ins(%arg3 : tensor<8x2xf32>) outs(%8 : tensor<2x8xf32>) permutation = [1, 0]
    %9 = linalg.matmul ins(%7, %transposed_2 : tensor<4x2xf32>, tensor<2x8xf32>) outs(%2 : tensor<4x8xf32>) -> tensor<4x8xf32>
    %10 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel"]} ins(%9 : tensor<4x8xf32>) outs(%1 : tensor<4x8xf32>) {
    ^bb0(%in: f32, %out: f32):
      %13 = arith.mulf %in, %cst_0 : f32
      linalg.yield %13 : f32
    } -> tensor<4x8xf32>
    %11 = linalg.generic {indexing_maps = [#map, #map, #map], iterator_types = ["parallel", "parallel"]} ins(%3, %10 : tensor<4x8xf32>, tensor<4x8xf32>) outs(%1 : tensor<4x8xf32>) {
    ^bb0(%in: f32, %in_3: f32, %out: f32):
      %13 = arith.addf %in, %in_3 : f32
      linalg.yield %13 : f32
    } -> tensor<4x8xf32>
    %12 = linalg.generic {indexing_maps = [#map, #map, #map], iterator_types = ["parallel", "parallel"]} ins(%arg0, %11 : tensor<4x8xf32>, tensor<4x8xf32>) outs(%1 : tensor<4x8xf32>) {
    ^bb0(%in: f32, %in_3: f32, %out: f32):
      %13 = arith.addf %in, %in_3 : f32
      linalg.yield %13 : f32
    } -> tensor<4x8xf32>
    return %12 : tensor<4x8xf32>
  }
}
