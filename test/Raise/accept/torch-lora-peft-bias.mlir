// The same with a bias.
//
// ARGS: normal small small small normal
// RUN: polyattn-opt %s --pass-pipeline='builtin.module(attn-raise)' | FileCheck %s
// CHECK: attn.lora_linear {{.*}}scale {{(1\.9999[0-9]*|2\.0000[0-9]*|2\.000000e\+00)}}{{.*}}transposed
// CHECK-NOT: math.exp

#map = affine_map<(d0, d1) -> (d0, d1)>
#map1 = affine_map<(d0, d1) -> (d1)>
#map2 = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
module {
  func.func @main(%arg0: tensor<2x5x8xf32>, %arg1: tensor<6x8xf32>, %arg2: tensor<2x8xf32>, %arg3: tensor<6x2xf32>, %arg4: tensor<6xf32>) -> tensor<2x5x6xf32> {
    %cst = arith.constant 0.000000e+00 : f32
    %cst_0 = arith.constant 2.000000e+00 : f32
    %collapsed = tensor.collapse_shape %arg0 [[0, 1], [2]] : tensor<2x5x8xf32> into tensor<10x8xf32>
    %0 = tensor.empty() : tensor<8x6xf32>
    %transposed = linalg.transpose ins(%arg1 : tensor<6x8xf32>) outs(%0 : tensor<8x6xf32>) permutation = [1, 0]
    %1 = tensor.empty() : tensor<10x6xf32>
    %2 = linalg.fill ins(%cst : f32) outs(%1 : tensor<10x6xf32>) -> tensor<10x6xf32>
    %3 = linalg.matmul ins(%collapsed, %transposed : tensor<10x8xf32>, tensor<8x6xf32>) outs(%2 : tensor<10x6xf32>) -> tensor<10x6xf32>
    %4 = linalg.generic {indexing_maps = [#map, #map1, #map], iterator_types = ["parallel", "parallel"]} ins(%3, %arg4 : tensor<10x6xf32>, tensor<6xf32>) outs(%1 : tensor<10x6xf32>) {
    ^bb0(%in: f32, %in_4: f32, %out: f32):
      %14 = arith.addf %in, %in_4 : f32
      linalg.yield %14 : f32
    } -> tensor<10x6xf32>
    %expanded = tensor.expand_shape %4 [[0, 1], [2]] output_shape [2, 5, 6] : tensor<10x6xf32> into tensor<2x5x6xf32>
    %5 = tensor.empty() : tensor<8x2xf32>
    %transposed_1 = linalg.transpose ins(%arg2 : tensor<2x8xf32>) outs(%5 : tensor<8x2xf32>) permutation = [1, 0]
    %6 = tensor.empty() : tensor<10x2xf32>
    %7 = linalg.fill ins(%cst : f32) outs(%6 : tensor<10x2xf32>) -> tensor<10x2xf32>
    %8 = linalg.matmul ins(%collapsed, %transposed_1 : tensor<10x8xf32>, tensor<8x2xf32>) outs(%7 : tensor<10x2xf32>) -> tensor<10x2xf32>
    %9 = tensor.empty() : tensor<2x6xf32>
    %transposed_2 = linalg.transpose ins(%arg3 : tensor<6x2xf32>) outs(%9 : tensor<2x6xf32>) permutation = [1, 0]
    %10 = linalg.matmul ins(%8, %transposed_2 : tensor<10x2xf32>, tensor<2x6xf32>) outs(%2 : tensor<10x6xf32>) -> tensor<10x6xf32>
    %expanded_3 = tensor.expand_shape %10 [[0, 1], [2]] output_shape [2, 5, 6] : tensor<10x6xf32> into tensor<2x5x6xf32>
    %11 = tensor.empty() : tensor<2x5x6xf32>
    %12 = linalg.generic {indexing_maps = [#map2, #map2], iterator_types = ["parallel", "parallel", "parallel"]} ins(%expanded_3 : tensor<2x5x6xf32>) outs(%11 : tensor<2x5x6xf32>) {
    ^bb0(%in: f32, %out: f32):
      %14 = arith.mulf %in, %cst_0 : f32
      linalg.yield %14 : f32
    } -> tensor<2x5x6xf32>
    %13 = linalg.generic {indexing_maps = [#map2, #map2, #map2], iterator_types = ["parallel", "parallel", "parallel"]} ins(%expanded, %12 : tensor<2x5x6xf32>, tensor<2x5x6xf32>) outs(%11 : tensor<2x5x6xf32>) {
    ^bb0(%in: f32, %in_4: f32, %out: f32):
      %14 = arith.addf %in, %in_4 : f32
      linalg.yield %14 : f32
    } -> tensor<2x5x6xf32>
    return %13 : tensor<2x5x6xf32>
  }
}
