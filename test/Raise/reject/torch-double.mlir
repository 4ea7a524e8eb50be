// f64: vector code has no kernel of that type and nothing would be gained.
//
// ARGS: normal normal normal
// RUN: polyattn-opt %s --pass-pipeline='builtin.module(attn-raise)' --remarks-filter-missed=polyattn 2>&1 | FileCheck %s
// CHECK: attention not raised: elements are neither f32, f16 nor bf16
// CHECK-NOT: = attn.

#map = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
#map1 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2)>
#map2 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, 0)>
module {
  func.func @main(%arg0: tensor<1x2x5x4xf64>, %arg1: tensor<1x2x7x4xf64>, %arg2: tensor<1x2x7x4xf64>) -> tensor<1x2x5x4xf64> {
    %cst = arith.constant 0.000000e+00 : f64
    %c0_i64 = arith.constant 0 : i64
    %cst_0 = arith.constant 0xFFF0000000000000 : f64
    %cst_1 = arith.constant 5.000000e-01 : f64
    %0 = tensor.empty() : tensor<1x2x4x7xf64>
    %transposed = linalg.transpose ins(%arg1 : tensor<1x2x7x4xf64>) outs(%0 : tensor<1x2x4x7xf64>) permutation = [0, 1, 3, 2]
    %collapsed = tensor.collapse_shape %arg0 [[0, 1], [2], [3]] : tensor<1x2x5x4xf64> into tensor<2x5x4xf64>
    %collapsed_2 = tensor.collapse_shape %transposed [[0, 1], [2], [3]] : tensor<1x2x4x7xf64> into tensor<2x4x7xf64>
    %1 = tensor.empty() : tensor<2x5x7xf64>
    %2 = linalg.fill ins(%cst : f64) outs(%1 : tensor<2x5x7xf64>) -> tensor<2x5x7xf64>
    %3 = linalg.batch_matmul ins(%collapsed, %collapsed_2 : tensor<2x5x4xf64>, tensor<2x4x7xf64>) outs(%2 : tensor<2x5x7xf64>) -> tensor<2x5x7xf64>
    %expanded = tensor.expand_shape %3 [[0, 1], [2], [3]] output_shape [1, 2, 5, 7] : tensor<2x5x7xf64> into tensor<1x2x5x7xf64>
    %4 = tensor.empty() : tensor<1x2x5x7xf64>
    %5 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%expanded : tensor<1x2x5x7xf64>) outs(%4 : tensor<1x2x5x7xf64>) {
    ^bb0(%in: f64, %out: f64):
      %20 = arith.mulf %in, %cst_1 : f64
      linalg.yield %20 : f64
    } -> tensor<1x2x5x7xf64>
    %6 = tensor.empty() : tensor<1x2x5xi64>
    %7 = linalg.fill ins(%c0_i64 : i64) outs(%6 : tensor<1x2x5xi64>) -> tensor<1x2x5xi64>
    %8 = tensor.empty() : tensor<1x2x5xf64>
    %9 = linalg.fill ins(%cst_0 : f64) outs(%8 : tensor<1x2x5xf64>) -> tensor<1x2x5xf64>
    %10:2 = linalg.generic {indexing_maps = [#map, #map1, #map1], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%5 : tensor<1x2x5x7xf64>) outs(%9, %7 : tensor<1x2x5xf64>, tensor<1x2x5xi64>) {
    ^bb0(%in: f64, %out: f64, %out_7: i64):
      %20 = linalg.index 3 : index
      %21 = arith.index_cast %20 : index to i64
      %22 = arith.maximumf %in, %out : f64
      %23 = arith.cmpf ogt, %in, %out : f64
      %24 = arith.select %23, %21, %out_7 : i64
      linalg.yield %22, %24 : f64, i64
    } -> (tensor<1x2x5xf64>, tensor<1x2x5xi64>)
    %expanded_3 = tensor.expand_shape %10#0 [[0], [1], [2, 3]] output_shape [1, 2, 5, 1] : tensor<1x2x5xf64> into tensor<1x2x5x1xf64>
    %11 = linalg.generic {indexing_maps = [#map, #map2, #map], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%5, %expanded_3 : tensor<1x2x5x7xf64>, tensor<1x2x5x1xf64>) outs(%4 : tensor<1x2x5x7xf64>) {
    ^bb0(%in: f64, %in_7: f64, %out: f64):
      %20 = arith.subf %in, %in_7 : f64
      linalg.yield %20 : f64
    } -> tensor<1x2x5x7xf64>
    %12 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%11 : tensor<1x2x5x7xf64>) outs(%4 : tensor<1x2x5x7xf64>) {
    ^bb0(%in: f64, %out: f64):
      %20 = math.exp %in : f64
      linalg.yield %20 : f64
    } -> tensor<1x2x5x7xf64>
    %13 = tensor.empty() : tensor<1x2x5x1xf64>
    %14 = linalg.fill ins(%cst : f64) outs(%13 : tensor<1x2x5x1xf64>) -> tensor<1x2x5x1xf64>
    %15 = linalg.generic {indexing_maps = [#map, #map2], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%12 : tensor<1x2x5x7xf64>) outs(%14 : tensor<1x2x5x1xf64>) {
    ^bb0(%in: f64, %out: f64):
      %20 = arith.addf %in, %out : f64
      linalg.yield %20 : f64
    } -> tensor<1x2x5x1xf64>
    %16 = linalg.generic {indexing_maps = [#map, #map2, #map], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%12, %15 : tensor<1x2x5x7xf64>, tensor<1x2x5x1xf64>) outs(%4 : tensor<1x2x5x7xf64>) {
    ^bb0(%in: f64, %in_7: f64, %out: f64):
      %20 = arith.divf %in, %in_7 : f64
      linalg.yield %20 : f64
    } -> tensor<1x2x5x7xf64>
    %collapsed_4 = tensor.collapse_shape %16 [[0, 1], [2], [3]] : tensor<1x2x5x7xf64> into tensor<2x5x7xf64>
    %collapsed_5 = tensor.collapse_shape %arg2 [[0, 1], [2], [3]] : tensor<1x2x7x4xf64> into tensor<2x7x4xf64>
    %17 = tensor.empty() : tensor<2x5x4xf64>
    %18 = linalg.fill ins(%cst : f64) outs(%17 : tensor<2x5x4xf64>) -> tensor<2x5x4xf64>
    %19 = linalg.batch_matmul ins(%collapsed_4, %collapsed_5 : tensor<2x5x7xf64>, tensor<2x7x4xf64>) outs(%18 : tensor<2x5x4xf64>) -> tensor<2x5x4xf64>
    %expanded_6 = tensor.expand_shape %19 [[0, 1], [2], [3]] output_shape [1, 2, 5, 4] : tensor<2x5x4xf64> into tensor<1x2x5x4xf64>
    return %expanded_6 : tensor<1x2x5x4xf64>
  }
}
