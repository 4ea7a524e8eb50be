// Mask multiplied after the softmax.
//
// ARGS: normal normal normal
// RUN: polyattn-opt %s --pass-pipeline='builtin.module(attn-raise)' --remarks-filter-missed=polyattn 2>&1 | FileCheck %s
// CHECK: attention not raised: after the softmax, weights are multiplied or divided by something (dropout, a gate, or a mask that should come before it)
// CHECK-NOT: = attn.

#map = affine_map<(d0, d1) -> (d0, d1)>
#map1 = affine_map<(d0, d1) -> (d0)>
#map2 = affine_map<(d0, d1) -> (d0, 0)>
#map3 = affine_map<(d0) -> (d0)>
#map4 = affine_map<(d0, d1) -> (0, d1)>
#map5 = affine_map<(d0, d1) -> ()>
module {
  func.func @main(%arg0: tensor<6x4xf32>, %arg1: tensor<6x4xf32>, %arg2: tensor<6x4xf32>) -> tensor<6x4xf32> {
    %c0_i64 = arith.constant 0 : i64
    %cst = arith.constant 0.000000e+00 : f32
    %cst_0 = arith.constant 0xFF800000 : f32
    %cst_1 = arith.constant dense<0.000000e+00> : tensor<f32>
    %cst_2 = arith.constant dense<1.000000e+00> : tensor<6x6xf32>
    %cst_3 = arith.constant 5.000000e-01 : f32
    %0 = tensor.empty() : tensor<4x6xf32>
    %transposed = linalg.transpose ins(%arg1 : tensor<6x4xf32>) outs(%0 : tensor<4x6xf32>) permutation = [1, 0]
    %1 = tensor.empty() : tensor<6x6xf32>
    %2 = linalg.fill ins(%cst : f32) outs(%1 : tensor<6x6xf32>) -> tensor<6x6xf32>
    %3 = linalg.matmul ins(%arg0, %transposed : tensor<6x4xf32>, tensor<4x6xf32>) outs(%2 : tensor<6x6xf32>) -> tensor<6x6xf32>
    %4 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel"]} ins(%3 : tensor<6x6xf32>) outs(%1 : tensor<6x6xf32>) {
    ^bb0(%in: f32, %out: f32):
      %26 = arith.mulf %in, %cst_3 : f32
      linalg.yield %26 : f32
    } -> tensor<6x6xf32>
    %5 = tensor.empty() : tensor<6xi64>
    %6 = linalg.fill ins(%c0_i64 : i64) outs(%5 : tensor<6xi64>) -> tensor<6xi64>
    %7 = tensor.empty() : tensor<6xf32>
    %8 = linalg.fill ins(%cst_0 : f32) outs(%7 : tensor<6xf32>) -> tensor<6xf32>
    %9:2 = linalg.generic {indexing_maps = [#map, #map1, #map1], iterator_types = ["parallel", "reduction"]} ins(%4 : tensor<6x6xf32>) outs(%8, %6 : tensor<6xf32>, tensor<6xi64>) {
    ^bb0(%in: f32, %out: f32, %out_6: i64):
      %26 = linalg.index 1 : index
      %27 = arith.index_cast %26 : index to i64
      %28 = arith.maximumf %in, %out : f32
      %29 = arith.cmpf ogt, %in, %out : f32
      %30 = arith.select %29, %27, %out_6 : i64
      linalg.yield %28, %30 : f32, i64
    } -> (tensor<6xf32>, tensor<6xi64>)
    %expanded = tensor.expand_shape %9#0 [[0, 1]] output_shape [6, 1] : tensor<6xf32> into tensor<6x1xf32>
    %10 = linalg.generic {indexing_maps = [#map, #map2, #map], iterator_types = ["parallel", "parallel"]} ins(%4, %expanded : tensor<6x6xf32>, tensor<6x1xf32>) outs(%1 : tensor<6x6xf32>) {
    ^bb0(%in: f32, %in_6: f32, %out: f32):
      %26 = arith.subf %in, %in_6 : f32
      linalg.yield %26 : f32
    } -> tensor<6x6xf32>
    %11 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel"]} ins(%10 : tensor<6x6xf32>) outs(%1 : tensor<6x6xf32>) {
    ^bb0(%in: f32, %out: f32):
      %26 = math.exp %in : f32
      linalg.yield %26 : f32
    } -> tensor<6x6xf32>
    %12 = tensor.empty() : tensor<6x1xf32>
    %13 = linalg.fill ins(%cst : f32) outs(%12 : tensor<6x1xf32>) -> tensor<6x1xf32>
    %14 = linalg.generic {indexing_maps = [#map, #map2], iterator_types = ["parallel", "reduction"]} ins(%11 : tensor<6x6xf32>) outs(%13 : tensor<6x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %26 = arith.addf %in, %out : f32
      linalg.yield %26 : f32
    } -> tensor<6x1xf32>
    %15 = linalg.generic {indexing_maps = [#map, #map2, #map], iterator_types = ["parallel", "parallel"]} ins(%11, %14 : tensor<6x6xf32>, tensor<6x1xf32>) outs(%1 : tensor<6x6xf32>) {
    ^bb0(%in: f32, %in_6: f32, %out: f32):
      %26 = arith.divf %in, %in_6 : f32
      linalg.yield %26 : f32
    } -> tensor<6x6xf32>
    %16 = linalg.generic {indexing_maps = [#map3], iterator_types = ["parallel"]} outs(%5 : tensor<6xi64>) {
    ^bb0(%out: i64):
      %26 = linalg.index 0 : index
      %27 = arith.index_cast %26 : index to i64
      linalg.yield %27 : i64
    } -> tensor<6xi64>
    %expanded_4 = tensor.expand_shape %16 [[0, 1]] output_shape [1, 6] : tensor<6xi64> into tensor<1x6xi64>
    %expanded_5 = tensor.expand_shape %16 [[0, 1]] output_shape [6, 1] : tensor<6xi64> into tensor<6x1xi64>
    %17 = tensor.empty() : tensor<6x6xi64>
    %18 = linalg.generic {indexing_maps = [#map4, #map2, #map], iterator_types = ["parallel", "parallel"]} ins(%expanded_4, %expanded_5 : tensor<1x6xi64>, tensor<6x1xi64>) outs(%17 : tensor<6x6xi64>) {
    ^bb0(%in: i64, %in_6: i64, %out: i64):
      %26 = arith.subi %in, %in_6 : i64
      linalg.yield %26 : i64
    } -> tensor<6x6xi64>
    %19 = tensor.empty() : tensor<6x6xi1>
    %20 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel"]} ins(%18 : tensor<6x6xi64>) outs(%19 : tensor<6x6xi1>) {
    ^bb0(%in: i64, %out: i1):
      %26 = arith.cmpi sle, %in, %c0_i64 : i64
      linalg.yield %26 : i1
    } -> tensor<6x6xi1>
    %21 = linalg.generic {indexing_maps = [#map, #map, #map5, #map], iterator_types = ["parallel", "parallel"]} ins(%20, %cst_2, %cst_1 : tensor<6x6xi1>, tensor<6x6xf32>, tensor<f32>) outs(%1 : tensor<6x6xf32>) {
    ^bb0(%in: i1, %in_6: f32, %in_7: f32, %out: f32):
      %26 = arith.select %in, %in_6, %in_7 : f32
      linalg.yield %26 : f32
    } -> tensor<6x6xf32>
    %22 = linalg.generic {indexing_maps = [#map, #map, #map], iterator_types = ["parallel", "parallel"]} ins(%15, %21 : tensor<6x6xf32>, tensor<6x6xf32>) outs(%1 : tensor<6x6xf32>) {
    ^bb0(%in: f32, %in_6: f32, %out: f32):
      %26 = arith.mulf %in, %in_6 : f32
      linalg.yield %26 : f32
    } -> tensor<6x6xf32>
    %23 = tensor.empty() : tensor<6x4xf32>
    %24 = linalg.fill ins(%cst : f32) outs(%23 : tensor<6x4xf32>) -> tensor<6x4xf32>
    %25 = linalg.matmul ins(%22, %arg2 : tensor<6x6xf32>, tensor<6x4xf32>) outs(%24 : tensor<6x4xf32>) -> tensor<6x4xf32>
    return %25 : tensor<6x4xf32>
  }
}
