// Windows with relative bias and the mask of shifted windows: Swin.
//
// ARGS: normal normal normal normal additive
// RUN: polyattn-opt %s --pass-pipeline='builtin.module(attn-raise)' | FileCheck %s
// CHECK: attn.attention {{.*}}bias({{.*}}scale {{(0\.4999[0-9]*|0\.5000[0-9]*|5\.000000e-01)}}{{( nan_rows)?}} :
// CHECK-NOT: math.exp

#map = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
#map1 = affine_map<(d0, d1, d2, d3) -> (0, d1, d2, d3)>
#map2 = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d3, d4)>
#map3 = affine_map<(d0, d1, d2, d3, d4) -> (0, d1, 0, d3, d4)>
#map4 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2)>
#map5 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, 0)>
module {
  func.func @main(%arg0: tensor<4x2x4x4xf32>, %arg1: tensor<4x2x4x4xf32>, %arg2: tensor<4x2x4x4xf32>, %arg3: tensor<2x4x4xf32>, %arg4: tensor<2x4x4xf32>) -> tensor<4x2x4x4xf32> {
    %cst = arith.constant 0.000000e+00 : f32
    %c0_i64 = arith.constant 0 : i64
    %cst_0 = arith.constant 0xFF800000 : f32
    %cst_1 = arith.constant 5.000000e-01 : f32
    %0 = tensor.empty() : tensor<4x2x4x4xf32>
    %transposed = linalg.transpose ins(%arg1 : tensor<4x2x4x4xf32>) outs(%0 : tensor<4x2x4x4xf32>) permutation = [0, 1, 3, 2]
    %collapsed = tensor.collapse_shape %arg0 [[0, 1], [2], [3]] : tensor<4x2x4x4xf32> into tensor<8x4x4xf32>
    %collapsed_2 = tensor.collapse_shape %transposed [[0, 1], [2], [3]] : tensor<4x2x4x4xf32> into tensor<8x4x4xf32>
    %1 = tensor.empty() : tensor<8x4x4xf32>
    %2 = linalg.fill ins(%cst : f32) outs(%1 : tensor<8x4x4xf32>) -> tensor<8x4x4xf32>
    %3 = linalg.batch_matmul ins(%collapsed, %collapsed_2 : tensor<8x4x4xf32>, tensor<8x4x4xf32>) outs(%2 : tensor<8x4x4xf32>) -> tensor<8x4x4xf32>
    %expanded = tensor.expand_shape %3 [[0, 1], [2], [3]] output_shape [4, 2, 4, 4] : tensor<8x4x4xf32> into tensor<4x2x4x4xf32>
    %4 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%expanded : tensor<4x2x4x4xf32>) outs(%0 : tensor<4x2x4x4xf32>) {
    ^bb0(%in: f32, %out: f32):
      %20 = arith.mulf %in, %cst_1 : f32
      linalg.yield %20 : f32
    } -> tensor<4x2x4x4xf32>
    %expanded_3 = tensor.expand_shape %arg3 [[0, 1], [2], [3]] output_shape [1, 2, 4, 4] : tensor<2x4x4xf32> into tensor<1x2x4x4xf32>
    %5 = linalg.generic {indexing_maps = [#map, #map1, #map], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%4, %expanded_3 : tensor<4x2x4x4xf32>, tensor<1x2x4x4xf32>) outs(%0 : tensor<4x2x4x4xf32>) {
    ^bb0(%in: f32, %in_11: f32, %out: f32):
      %20 = arith.addf %in, %in_11 : f32
      linalg.yield %20 : f32
    } -> tensor<4x2x4x4xf32>
    %expanded_4 = tensor.expand_shape %5 [[0, 1], [2], [3], [4]] output_shape [2, 2, 2, 4, 4] : tensor<4x2x4x4xf32> into tensor<2x2x2x4x4xf32>
    %expanded_5 = tensor.expand_shape %arg4 [[0, 1], [2, 3], [4]] output_shape [1, 2, 1, 4, 4] : tensor<2x4x4xf32> into tensor<1x2x1x4x4xf32>
    %6 = tensor.empty() : tensor<2x2x2x4x4xf32>
    %7 = linalg.generic {indexing_maps = [#map2, #map3, #map2], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%expanded_4, %expanded_5 : tensor<2x2x2x4x4xf32>, tensor<1x2x1x4x4xf32>) outs(%6 : tensor<2x2x2x4x4xf32>) {
    ^bb0(%in: f32, %in_11: f32, %out: f32):
      %20 = arith.addf %in, %in_11 : f32
      linalg.yield %20 : f32
    } -> tensor<2x2x2x4x4xf32>
    %collapsed_6 = tensor.collapse_shape %7 [[0, 1], [2], [3], [4]] : tensor<2x2x2x4x4xf32> into tensor<4x2x4x4xf32>
    %8 = tensor.empty() : tensor<4x2x4xi64>
    %9 = linalg.fill ins(%c0_i64 : i64) outs(%8 : tensor<4x2x4xi64>) -> tensor<4x2x4xi64>
    %10 = tensor.empty() : tensor<4x2x4xf32>
    %11 = linalg.fill ins(%cst_0 : f32) outs(%10 : tensor<4x2x4xf32>) -> tensor<4x2x4xf32>
    %12:2 = linalg.generic {indexing_maps = [#map, #map4, #map4], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%collapsed_6 : tensor<4x2x4x4xf32>) outs(%11, %9 : tensor<4x2x4xf32>, tensor<4x2x4xi64>) {
    ^bb0(%in: f32, %out: f32, %out_11: i64):
      %20 = linalg.index 3 : index
      %21 = arith.index_cast %20 : index to i64
      %22 = arith.maximumf %in, %out : f32
      %23 = arith.cmpf ogt, %in, %out : f32
      %24 = arith.select %23, %21, %out_11 : i64
      linalg.yield %22, %24 : f32, i64
    } -> (tensor<4x2x4xf32>, tensor<4x2x4xi64>)
    %expanded_7 = tensor.expand_shape %12#0 [[0], [1], [2, 3]] output_shape [4, 2, 4, 1] : tensor<4x2x4xf32> into tensor<4x2x4x1xf32>
    %13 = linalg.generic {indexing_maps = [#map, #map5, #map], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%collapsed_6, %expanded_7 : tensor<4x2x4x4xf32>, tensor<4x2x4x1xf32>) outs(%0 : tensor<4x2x4x4xf32>) {
    ^bb0(%in: f32, %in_11: f32, %out: f32):
      %20 = arith.subf %in, %in_11 : f32
      linalg.yield %20 : f32
    } -> tensor<4x2x4x4xf32>
    %14 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%13 : tensor<4x2x4x4xf32>) outs(%0 : tensor<4x2x4x4xf32>) {
    ^bb0(%in: f32, %out: f32):
      %20 = math.exp %in : f32
      linalg.yield %20 : f32
    } -> tensor<4x2x4x4xf32>
    %15 = tensor.empty() : tensor<4x2x4x1xf32>
    %16 = linalg.fill ins(%cst : f32) outs(%15 : tensor<4x2x4x1xf32>) -> tensor<4x2x4x1xf32>
    %17 = linalg.generic {indexing_maps = [#map, #map5], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%14 : tensor<4x2x4x4xf32>) outs(%16 : tensor<4x2x4x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %20 = arith.addf %in, %out : f32
      linalg.yield %20 : f32
    } -> tensor<4x2x4x1xf32>
    %18 = linalg.generic {indexing_maps = [#map, #map5, #map], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%14, %17 : tensor<4x2x4x4xf32>, tensor<4x2x4x1xf32>) outs(%0 : tensor<4x2x4x4xf32>) {
    ^bb0(%in: f32, %in_11: f32, %out: f32):
      %20 = arith.divf %in, %in_11 : f32
      linalg.yield %20 : f32
    } -> tensor<4x2x4x4xf32>
    %collapsed_8 = tensor.collapse_shape %18 [[0, 1], [2], [3]] : tensor<4x2x4x4xf32> into tensor<8x4x4xf32>
    %collapsed_9 = tensor.collapse_shape %arg2 [[0, 1], [2], [3]] : tensor<4x2x4x4xf32> into tensor<8x4x4xf32>
    %19 = linalg.batch_matmul ins(%collapsed_8, %collapsed_9 : tensor<8x4x4xf32>, tensor<8x4x4xf32>) outs(%2 : tensor<8x4x4xf32>) -> tensor<8x4x4xf32>
    %expanded_10 = tensor.expand_shape %19 [[0, 1], [2], [3]] output_shape [4, 2, 4, 4] : tensor<8x4x4xf32> into tensor<4x2x4x4xf32>
    return %expanded_10 : tensor<4x2x4x4xf32>
  }
}
