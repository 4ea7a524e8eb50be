// alpha divided by r, and no scale of its own.
//
// ARGS: normal small small small
// RUN: polyattn-opt %s --pass-pipeline='builtin.module(attn-raise)' | FileCheck %s
// CHECK: attn.lora_linear {{.*}}scale {{(0\.4999[0-9]*|0\.5000[0-9]*|5\.000000e-01)}}
// CHECK-NOT: math.exp

#map = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
module {
  func.func @main(%arg0: tensor<3x4x8xf32>, %arg1: tensor<6x8xf32>, %arg2: tensor<2x8xf32>, %arg3: tensor<6x2xf32>) -> tensor<3x4x6xf32> {
    %cst = arith.constant 0.000000e+00 : f32
    %cst_0 = arith.constant 2.000000e+00 : f32
    %0 = tensor.empty() : tensor<8x6xf32>
    %transposed = linalg.transpose ins(%arg1 : tensor<6x8xf32>) outs(%0 : tensor<8x6xf32>) permutation = [1, 0]
    %collapsed = tensor.collapse_shape %arg0 [[0, 1], [2]] : tensor<3x4x8xf32> into tensor<12x8xf32>
    %1 = tensor.empty() : tensor<12x6xf32>
    %2 = linalg.fill ins(%cst : f32) outs(%1 : tensor<12x6xf32>) -> tensor<12x6xf32>
    %3 = linalg.matmul ins(%collapsed, %transposed : tensor<12x8xf32>, tensor<8x6xf32>) outs(%2 : tensor<12x6xf32>) -> tensor<12x6xf32>
    %expanded = tensor.expand_shape %3 [[0, 1], [2]] output_shape [3, 4, 6] : tensor<12x6xf32> into tensor<3x4x6xf32>
    %4 = tensor.empty() : tensor<8x2xf32>
    %transposed_1 = linalg.transpose ins(%arg2 : tensor<2x8xf32>) outs(%4 : tensor<8x2xf32>) permutation = [1, 0]
    %5 = tensor.empty() : tensor<12x2xf32>
    %6 = linalg.fill ins(%cst : f32) outs(%5 : tensor<12x2xf32>) -> tensor<12x2xf32>
    %7 = linalg.matmul ins(%collapsed, %transposed_1 : tensor<12x8xf32>, tensor<8x2xf32>) outs(%6 : tensor<12x2xf32>) -> tensor<12x2xf32>
    %8 = tensor.empty() : tensor<2x6xf32>
    %transposed_2 = linalg.transpose ins(%arg3 : tensor<6x2xf32>) outs(%8 : tensor<2x6xf32>) permutation = [1, 0]
    %9 = linalg.matmul ins(%7, %transposed_2 : tensor<12x2xf32>, tensor<2x6xf32>) outs(%2 : tensor<12x6xf32>) -> tensor<12x6xf32>
    %expanded_3 = tensor.expand_shape %9 [[0, 1], [2]] output_shape [3, 4, 6] : tensor<12x6xf32> into tensor<3x4x6xf32>
    %10 = tensor.empty() : tensor<3x4x6xf32>
    %11 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel", "parallel"]} ins(%expanded_3 : tensor<3x4x6xf32>) outs(%10 : tensor<3x4x6xf32>) {
    ^bb0(%in: f32, %out: f32):
      %13 = arith.divf %in, %cst_0 : f32
      linalg.yield %13 : f32
    } -> tensor<3x4x6xf32>
    %12 = linalg.generic {indexing_maps = [#map, #map, #map], iterator_types = ["parallel", "parallel", "parallel"]} ins(%expanded, %11 : tensor<3x4x6xf32>, tensor<3x4x6xf32>) outs(%10 : tensor<3x4x6xf32>) {
    ^bb0(%in: f32, %in_4: f32, %out: f32):
      %13 = arith.addf %in, %in_4 : f32
      linalg.yield %13 : f32
    } -> tensor<3x4x6xf32>
    return %12 : tensor<3x4x6xf32>
  }
}
