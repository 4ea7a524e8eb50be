// A guard that looks at scores before they are masked: rows without keys are NaN.
//
// ARGS: normal normal normal mask
// RUN: polyattn-opt %s --pass-pipeline='builtin.module(attn-raise)' --remarks-filter-missed=polyattn 2>&1 | FileCheck %s
// CHECK: attention not raised: weights are set to 0 after the softmax by a condition other than that masks and biases leave no key to the row
// CHECK-NOT: = attn.

#map = affine_map<(d0, d1) -> (d0, d1)>
#map1 = affine_map<(d0, d1) -> ()>
#map2 = affine_map<(d0, d1) -> (d0)>
#map3 = affine_map<(d0, d1) -> (d0, 0)>
module {
  func.func @main(%arg0: tensor<5x4xf32>, %arg1: tensor<7x4xf32>, %arg2: tensor<7x4xf32>, %arg3: tensor<5x7xi1>) -> tensor<5x4xf32> {
    %cst = arith.constant 0.000000e+00 : f32
    %true = arith.constant true
    %c0_i64 = arith.constant 0 : i64
    %cst_0 = arith.constant 0xFF800000 : f32
    %cst_1 = arith.constant dense<0.000000e+00> : tensor<f32>
    %cst_2 = arith.constant dense<0xFF800000> : tensor<f32>
    %cst_3 = arith.constant dense<0.000000e+00> : tensor<5x7xf32>
    %cst_4 = arith.constant 0xFFF0000000000000 : f64
    %cst_5 = arith.constant 5.000000e-01 : f32
    %0 = tensor.empty() : tensor<4x7xf32>
    %transposed = linalg.transpose ins(%arg1 : tensor<7x4xf32>) outs(%0 : tensor<4x7xf32>) permutation = [1, 0]
    %1 = tensor.empty() : tensor<5x7xf32>
    %2 = linalg.fill ins(%cst : f32) outs(%1 : tensor<5x7xf32>) -> tensor<5x7xf32>
    %3 = linalg.matmul ins(%arg0, %transposed : tensor<5x4xf32>, tensor<4x7xf32>) outs(%2 : tensor<5x7xf32>) -> tensor<5x7xf32>
    %4 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel"]} ins(%3 : tensor<5x7xf32>) outs(%1 : tensor<5x7xf32>) {
    ^bb0(%in: f32, %out: f32):
      %28 = arith.mulf %in, %cst_5 : f32
      linalg.yield %28 : f32
    } -> tensor<5x7xf32>
    %5 = tensor.empty() : tensor<5x7xi1>
    %6 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel"]} ins(%arg3 : tensor<5x7xi1>) outs(%5 : tensor<5x7xi1>) {
    ^bb0(%in: i1, %out: i1):
      %28 = arith.xori %in, %true : i1
      linalg.yield %28 : i1
    } -> tensor<5x7xi1>
    %7 = linalg.generic {indexing_maps = [#map, #map1, #map, #map], iterator_types = ["parallel", "parallel"]} ins(%6, %cst_2, %cst_3 : tensor<5x7xi1>, tensor<f32>, tensor<5x7xf32>) outs(%1 : tensor<5x7xf32>) {
    ^bb0(%in: i1, %in_6: f32, %in_7: f32, %out: f32):
      %28 = arith.select %in, %in_6, %in_7 : f32
      linalg.yield %28 : f32
    } -> tensor<5x7xf32>
    %8 = linalg.generic {indexing_maps = [#map, #map, #map], iterator_types = ["parallel", "parallel"]} ins(%4, %7 : tensor<5x7xf32>, tensor<5x7xf32>) outs(%1 : tensor<5x7xf32>) {
    ^bb0(%in: f32, %in_6: f32, %out: f32):
      %28 = arith.addf %in, %in_6 : f32
      linalg.yield %28 : f32
    } -> tensor<5x7xf32>
    %9 = tensor.empty() : tensor<5xi64>
    %10 = linalg.fill ins(%c0_i64 : i64) outs(%9 : tensor<5xi64>) -> tensor<5xi64>
    %11 = tensor.empty() : tensor<5xf32>
    %12 = linalg.fill ins(%cst_0 : f32) outs(%11 : tensor<5xf32>) -> tensor<5xf32>
    %13:2 = linalg.generic {indexing_maps = [#map, #map2, #map2], iterator_types = ["parallel", "reduction"]} ins(%8 : tensor<5x7xf32>) outs(%12, %10 : tensor<5xf32>, tensor<5xi64>) {
    ^bb0(%in: f32, %out: f32, %out_6: i64):
      %28 = linalg.index 1 : index
      %29 = arith.index_cast %28 : index to i64
      %30 = arith.maximumf %in, %out : f32
      %31 = arith.cmpf ogt, %in, %out : f32
      %32 = arith.select %31, %29, %out_6 : i64
      linalg.yield %30, %32 : f32, i64
    } -> (tensor<5xf32>, tensor<5xi64>)
    %expanded = tensor.expand_shape %13#0 [[0, 1]] output_shape [5, 1] : tensor<5xf32> into tensor<5x1xf32>
    %14 = linalg.generic {indexing_maps = [#map, #map3, #map], iterator_types = ["parallel", "parallel"]} ins(%8, %expanded : tensor<5x7xf32>, tensor<5x1xf32>) outs(%1 : tensor<5x7xf32>) {
    ^bb0(%in: f32, %in_6: f32, %out: f32):
      %28 = arith.subf %in, %in_6 : f32
      linalg.yield %28 : f32
    } -> tensor<5x7xf32>
    %15 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel"]} ins(%14 : tensor<5x7xf32>) outs(%1 : tensor<5x7xf32>) {
    ^bb0(%in: f32, %out: f32):
      %28 = math.exp %in : f32
      linalg.yield %28 : f32
    } -> tensor<5x7xf32>
    %16 = tensor.empty() : tensor<5x1xf32>
    %17 = linalg.fill ins(%cst : f32) outs(%16 : tensor<5x1xf32>) -> tensor<5x1xf32>
    %18 = linalg.generic {indexing_maps = [#map, #map3], iterator_types = ["parallel", "reduction"]} ins(%15 : tensor<5x7xf32>) outs(%17 : tensor<5x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %28 = arith.addf %in, %out : f32
      linalg.yield %28 : f32
    } -> tensor<5x1xf32>
    %19 = linalg.generic {indexing_maps = [#map, #map3, #map], iterator_types = ["parallel", "parallel"]} ins(%15, %18 : tensor<5x7xf32>, tensor<5x1xf32>) outs(%1 : tensor<5x7xf32>) {
    ^bb0(%in: f32, %in_6: f32, %out: f32):
      %28 = arith.divf %in, %in_6 : f32
      linalg.yield %28 : f32
    } -> tensor<5x7xf32>
    %20 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel"]} ins(%4 : tensor<5x7xf32>) outs(%5 : tensor<5x7xi1>) {
    ^bb0(%in: f32, %out: i1):
      %28 = arith.extf %in : f32 to f64
      %29 = arith.cmpf oeq, %28, %cst_4 : f64
      linalg.yield %29 : i1
    } -> tensor<5x7xi1>
    %21 = tensor.empty() : tensor<5x1xi1>
    %22 = linalg.fill ins(%true : i1) outs(%21 : tensor<5x1xi1>) -> tensor<5x1xi1>
    %23 = linalg.generic {indexing_maps = [#map, #map3], iterator_types = ["parallel", "reduction"]} ins(%20 : tensor<5x7xi1>) outs(%22 : tensor<5x1xi1>) {
    ^bb0(%in: i1, %out: i1):
      %28 = arith.andi %in, %out : i1
      linalg.yield %28 : i1
    } -> tensor<5x1xi1>
    %24 = linalg.generic {indexing_maps = [#map3, #map1, #map, #map], iterator_types = ["parallel", "parallel"]} ins(%23, %cst_1, %19 : tensor<5x1xi1>, tensor<f32>, tensor<5x7xf32>) outs(%1 : tensor<5x7xf32>) {
    ^bb0(%in: i1, %in_6: f32, %in_7: f32, %out: f32):
      %28 = arith.select %in, %in_6, %in_7 : f32
      linalg.yield %28 : f32
    } -> tensor<5x7xf32>
    %25 = tensor.empty() : tensor<5x4xf32>
    %26 = linalg.fill ins(%cst : f32) outs(%25 : tensor<5x4xf32>) -> tensor<5x4xf32>
    %27 = linalg.matmul ins(%24, %arg2 : tensor<5x7xf32>, tensor<7x4xf32>) outs(%26 : tensor<5x4xf32>) -> tensor<5x4xf32>
    return %27 : tensor<5x4xf32>
  }
}
