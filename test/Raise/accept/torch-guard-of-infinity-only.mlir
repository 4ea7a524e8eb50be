// A guard against rows of -inf beside a mask that fills with the lowest number: rows without keys are means.
//
// ARGS: normal normal normal mask
// RUN: polyattn-opt %s --pass-pipeline='builtin.module(attn-raise)' | FileCheck %s
// CHECK: attn.attention {{.*}}bias({{.*}}scale {{(0\.4999[0-9]*|0\.5000[0-9]*|5\.000000e-01)}}{{( nan_rows)?}} :
// CHECK-NOT: math.exp

#map = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
#map1 = affine_map<(d0, d1, d2) -> ()>
#map2 = affine_map<(d0, d1, d2) -> (d0, 0, d2)>
#map3 = affine_map<(d0, d1, d2) -> (d0, d1)>
#map4 = affine_map<(d0, d1, d2) -> (d0, d1, 0)>
module {
  func.func @main(%arg0: tensor<6x5x4xf32>, %arg1: tensor<6x7x4xf32>, %arg2: tensor<6x7x4xf32>, %arg3: tensor<6x1x7xi1>) -> tensor<6x5x4xf32> {
    %cst = arith.constant 0.000000e+00 : f32
    %true = arith.constant true
    %c0_i64 = arith.constant 0 : i64
    %cst_0 = arith.constant 0xFF800000 : f32
    %cst_1 = arith.constant dense<0.000000e+00> : tensor<f32>
    %cst_2 = arith.constant dense<-3.40282347E+38> : tensor<f32>
    %cst_3 = arith.constant dense<0.000000e+00> : tensor<6x1x7xf32>
    %cst_4 = arith.constant 0xFFF0000000000000 : f64
    %cst_5 = arith.constant 5.000000e-01 : f32
    %0 = tensor.empty() : tensor<6x4x7xf32>
    %transposed = linalg.transpose ins(%arg1 : tensor<6x7x4xf32>) outs(%0 : tensor<6x4x7xf32>) permutation = [0, 2, 1]
    %1 = tensor.empty() : tensor<6x5x7xf32>
    %2 = linalg.fill ins(%cst : f32) outs(%1 : tensor<6x5x7xf32>) -> tensor<6x5x7xf32>
    %3 = linalg.batch_matmul ins(%arg0, %transposed : tensor<6x5x4xf32>, tensor<6x4x7xf32>) outs(%2 : tensor<6x5x7xf32>) -> tensor<6x5x7xf32>
    %4 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel", "parallel"]} ins(%3 : tensor<6x5x7xf32>) outs(%1 : tensor<6x5x7xf32>) {
    ^bb0(%in: f32, %out: f32):
      %30 = arith.mulf %in, %cst_5 : f32
      linalg.yield %30 : f32
    } -> tensor<6x5x7xf32>
    %5 = tensor.empty() : tensor<6x1x7xi1>
    %6 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel", "parallel"]} ins(%arg3 : tensor<6x1x7xi1>) outs(%5 : tensor<6x1x7xi1>) {
    ^bb0(%in: i1, %out: i1):
      %30 = arith.xori %in, %true : i1
      linalg.yield %30 : i1
    } -> tensor<6x1x7xi1>
    %7 = tensor.empty() : tensor<6x1x7xf32>
    %8 = linalg.generic {indexing_maps = [#map, #map1, #map, #map], iterator_types = ["parallel", "parallel", "parallel"]} ins(%6, %cst_2, %cst_3 : tensor<6x1x7xi1>, tensor<f32>, tensor<6x1x7xf32>) outs(%7 : tensor<6x1x7xf32>) {
    ^bb0(%in: i1, %in_6: f32, %in_7: f32, %out: f32):
      %30 = arith.select %in, %in_6, %in_7 : f32
      linalg.yield %30 : f32
    } -> tensor<6x1x7xf32>
    %9 = linalg.generic {indexing_maps = [#map, #map2, #map], iterator_types = ["parallel", "parallel", "parallel"]} ins(%4, %8 : tensor<6x5x7xf32>, tensor<6x1x7xf32>) outs(%1 : tensor<6x5x7xf32>) {
    ^bb0(%in: f32, %in_6: f32, %out: f32):
      %30 = arith.addf %in, %in_6 : f32
      linalg.yield %30 : f32
    } -> tensor<6x5x7xf32>
    %10 = tensor.empty() : tensor<6x5xi64>
    %11 = linalg.fill ins(%c0_i64 : i64) outs(%10 : tensor<6x5xi64>) -> tensor<6x5xi64>
    %12 = tensor.empty() : tensor<6x5xf32>
    %13 = linalg.fill ins(%cst_0 : f32) outs(%12 : tensor<6x5xf32>) -> tensor<6x5xf32>
    %14:2 = linalg.generic {indexing_maps = [#map, #map3, #map3], iterator_types = ["parallel", "parallel", "reduction"]} ins(%9 : tensor<6x5x7xf32>) outs(%13, %11 : tensor<6x5xf32>, tensor<6x5xi64>) {
    ^bb0(%in: f32, %out: f32, %out_6: i64):
      %30 = linalg.index 2 : index
      %31 = arith.index_cast %30 : index to i64
      %32 = arith.maximumf %in, %out : f32
      %33 = arith.cmpf ogt, %in, %out : f32
      %34 = arith.select %33, %31, %out_6 : i64
      linalg.yield %32, %34 : f32, i64
    } -> (tensor<6x5xf32>, tensor<6x5xi64>)
    %expanded = tensor.expand_shape %14#0 [[0], [1, 2]] output_shape [6, 5, 1] : tensor<6x5xf32> into tensor<6x5x1xf32>
    %15 = linalg.generic {indexing_maps = [#map, #map4, #map], iterator_types = ["parallel", "parallel", "parallel"]} ins(%9, %expanded : tensor<6x5x7xf32>, tensor<6x5x1xf32>) outs(%1 : tensor<6x5x7xf32>) {
    ^bb0(%in: f32, %in_6: f32, %out: f32):
      %30 = arith.subf %in, %in_6 : f32
      linalg.yield %30 : f32
    } -> tensor<6x5x7xf32>
    %16 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel", "parallel"]} ins(%15 : tensor<6x5x7xf32>) outs(%1 : tensor<6x5x7xf32>) {
    ^bb0(%in: f32, %out: f32):
      %30 = math.exp %in : f32
      linalg.yield %30 : f32
    } -> tensor<6x5x7xf32>
    %17 = tensor.empty() : tensor<6x5x1xf32>
    %18 = linalg.fill ins(%cst : f32) outs(%17 : tensor<6x5x1xf32>) -> tensor<6x5x1xf32>
    %19 = linalg.generic {indexing_maps = [#map, #map4], iterator_types = ["parallel", "parallel", "reduction"]} ins(%16 : tensor<6x5x7xf32>) outs(%18 : tensor<6x5x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %30 = arith.addf %in, %out : f32
      linalg.yield %30 : f32
    } -> tensor<6x5x1xf32>
    %20 = linalg.generic {indexing_maps = [#map, #map4, #map], iterator_types = ["parallel", "parallel", "parallel"]} ins(%16, %19 : tensor<6x5x7xf32>, tensor<6x5x1xf32>) outs(%1 : tensor<6x5x7xf32>) {
    ^bb0(%in: f32, %in_6: f32, %out: f32):
      %30 = arith.divf %in, %in_6 : f32
      linalg.yield %30 : f32
    } -> tensor<6x5x7xf32>
    %21 = tensor.empty() : tensor<6x5x7xi1>
    %22 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel", "parallel"]} ins(%9 : tensor<6x5x7xf32>) outs(%21 : tensor<6x5x7xi1>) {
    ^bb0(%in: f32, %out: i1):
      %30 = arith.extf %in : f32 to f64
      %31 = arith.cmpf oeq, %30, %cst_4 : f64
      linalg.yield %31 : i1
    } -> tensor<6x5x7xi1>
    %23 = tensor.empty() : tensor<6x5x1xi1>
    %24 = linalg.fill ins(%true : i1) outs(%23 : tensor<6x5x1xi1>) -> tensor<6x5x1xi1>
    %25 = linalg.generic {indexing_maps = [#map, #map4], iterator_types = ["parallel", "parallel", "reduction"]} ins(%22 : tensor<6x5x7xi1>) outs(%24 : tensor<6x5x1xi1>) {
    ^bb0(%in: i1, %out: i1):
      %30 = arith.andi %in, %out : i1
      linalg.yield %30 : i1
    } -> tensor<6x5x1xi1>
    %26 = linalg.generic {indexing_maps = [#map4, #map1, #map, #map], iterator_types = ["parallel", "parallel", "parallel"]} ins(%25, %cst_1, %20 : tensor<6x5x1xi1>, tensor<f32>, tensor<6x5x7xf32>) outs(%1 : tensor<6x5x7xf32>) {
    ^bb0(%in: i1, %in_6: f32, %in_7: f32, %out: f32):
      %30 = arith.select %in, %in_6, %in_7 : f32
      linalg.yield %30 : f32
    } -> tensor<6x5x7xf32>
    %27 = tensor.empty() : tensor<6x5x4xf32>
    %28 = linalg.fill ins(%cst : f32) outs(%27 : tensor<6x5x4xf32>) -> tensor<6x5x4xf32>
    %29 = linalg.batch_matmul ins(%26, %arg2 : tensor<6x5x7xf32>, tensor<6x7x4xf32>) outs(%28 : tensor<6x5x4xf32>) -> tensor<6x5x4xf32>
    return %29 : tensor<6x5x4xf32>
  }
}
