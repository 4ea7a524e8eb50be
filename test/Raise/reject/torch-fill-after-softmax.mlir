// Weights masked to 0 after the softmax.
//
// ARGS: normal normal normal keep
// RUN: polyattn-opt %s --pass-pipeline='builtin.module(attn-raise)' --remarks-filter-missed=polyattn 2>&1 | FileCheck %s
// CHECK: attention not raised: weights are set to 0 after the softmax by a condition other than that masks and biases leave no key to the row
// CHECK-NOT: = attn.

#map = affine_map<(d0, d1) -> (d0, d1)>
#map1 = affine_map<(d0, d1) -> (d0)>
#map2 = affine_map<(d0, d1) -> (d0, 0)>
#map3 = affine_map<(d0, d1) -> ()>
module {
  func.func @main(%arg0: tensor<6x4xf32>, %arg1: tensor<6x4xf32>, %arg2: tensor<6x4xf32>, %arg3: tensor<6x6xi1>) -> tensor<6x4xf32> {
    %cst = arith.constant 0.000000e+00 : f32
    %c0_i64 = arith.constant 0 : i64
    %cst_0 = arith.constant 0xFF800000 : f32
    %true = arith.constant true
    %cst_1 = arith.constant dense<0.000000e+00> : tensor<f32>
    %cst_2 = arith.constant 5.000000e-01 : f32
    %0 = tensor.empty() : tensor<4x6xf32>
    %transposed = linalg.transpose ins(%arg1 : tensor<6x4xf32>) outs(%0 : tensor<4x6xf32>) permutation = [1, 0]
    %1 = tensor.empty() : tensor<6x6xf32>
    %2 = linalg.fill ins(%cst : f32) outs(%1 : tensor<6x6xf32>) -> tensor<6x6xf32>
    %3 = linalg.matmul ins(%arg0, %transposed : tensor<6x4xf32>, tensor<4x6xf32>) outs(%2 : tensor<6x6xf32>) -> tensor<6x6xf32>
    %4 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel"]} ins(%3 : tensor<6x6xf32>) outs(%1 : tensor<6x6xf32>) {
    ^bb0(%in: f32, %out: f32):
      %22 = arith.mulf %in, %cst_2 : f32
      linalg.yield %22 : f32
    } -> tensor<6x6xf32>
    %5 = tensor.empty() : tensor<6xi64>
    %6 = linalg.fill ins(%c0_i64 : i64) outs(%5 : tensor<6xi64>) -> tensor<6xi64>
    %7 = tensor.empty() : tensor<6xf32>
    %8 = linalg.fill ins(%cst_0 : f32) outs(%7 : tensor<6xf32>) -> tensor<6xf32>
    %9:2 = linalg.generic {indexing_maps = [#map, #map1, #map1], iterator_types = ["parallel", "reduction"]} ins(%4 : tensor<6x6xf32>) outs(%8, %6 : tensor<6xf32>, tensor<6xi64>) {
    ^bb0(%in: f32, %out: f32, %out_3: i64):
      %22 = linalg.index 1 : index
      %23 = arith.index_cast %22 : index to i64
      %24 = arith.maximumf %in, %out : f32
      %25 = arith.cmpf ogt, %in, %out : f32
      %26 = arith.select %25, %23, %out_3 : i64
      linalg.yield %24, %26 : f32, i64
    } -> (tensor<6xf32>, tensor<6xi64>)
    %expanded = tensor.expand_shape %9#0 [[0, 1]] output_shape [6, 1] : tensor<6xf32> into tensor<6x1xf32>
    %10 = linalg.generic {indexing_maps = [#map, #map2, #map], iterator_types = ["parallel", "parallel"]} ins(%4, %expanded : tensor<6x6xf32>, tensor<6x1xf32>) outs(%1 : tensor<6x6xf32>) {
    ^bb0(%in: f32, %in_3: f32, %out: f32):
      %22 = arith.subf %in, %in_3 : f32
      linalg.yield %22 : f32
    } -> tensor<6x6xf32>
    %11 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel"]} ins(%10 : tensor<6x6xf32>) outs(%1 : tensor<6x6xf32>) {
    ^bb0(%in: f32, %out: f32):
      %22 = math.exp %in : f32
      linalg.yield %22 : f32
    } -> tensor<6x6xf32>
    %12 = tensor.empty() : tensor<6x1xf32>
    %13 = linalg.fill ins(%cst : f32) outs(%12 : tensor<6x1xf32>) -> tensor<6x1xf32>
    %14 = linalg.generic {indexing_maps = [#map, #map2], iterator_types = ["parallel", "reduction"]} ins(%11 : tensor<6x6xf32>) outs(%13 : tensor<6x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %22 = arith.addf %in, %out : f32
      linalg.yield %22 : f32
    } -> tensor<6x1xf32>
    %15 = linalg.generic {indexing_maps = [#map, #map2, #map], iterator_types = ["parallel", "parallel"]} ins(%11, %14 : tensor<6x6xf32>, tensor<6x1xf32>) outs(%1 : tensor<6x6xf32>) {
    ^bb0(%in: f32, %in_3: f32, %out: f32):
      %22 = arith.divf %in, %in_3 : f32
      linalg.yield %22 : f32
    } -> tensor<6x6xf32>
    %16 = tensor.empty() : tensor<6x6xi1>
    %17 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel"]} ins(%arg3 : tensor<6x6xi1>) outs(%16 : tensor<6x6xi1>) {
    ^bb0(%in: i1, %out: i1):
      %22 = arith.xori %in, %true : i1
      linalg.yield %22 : i1
    } -> tensor<6x6xi1>
    %18 = linalg.generic {indexing_maps = [#map, #map3, #map, #map], iterator_types = ["parallel", "parallel"]} ins(%17, %cst_1, %15 : tensor<6x6xi1>, tensor<f32>, tensor<6x6xf32>) outs(%1 : tensor<6x6xf32>) {
    ^bb0(%in: i1, %in_3: f32, %in_4: f32, %out: f32):
      %22 = arith.select %in, %in_3, %in_4 : f32
      linalg.yield %22 : f32
    } -> tensor<6x6xf32>
    %19 = tensor.empty() : tensor<6x4xf32>
    %20 = linalg.fill ins(%cst : f32) outs(%19 : tensor<6x4xf32>) -> tensor<6x4xf32>
    %21 = linalg.matmul ins(%18, %arg2 : tensor<6x6xf32>, tensor<6x4xf32>) outs(%20 : tensor<6x4xf32>) -> tensor<6x4xf32>
    return %21 : tensor<6x4xf32>
  }
}
