// A few learned queries.
//
// ARGS: normal normal
// RUN: polyattn-opt %s --pass-pipeline='builtin.module(attn-raise)' | FileCheck %s
// CHECK: attn.attention {{.*}}scale {{(0\.2499[0-9]*|0\.2500[0-9]*|2\.500000e-01)}}{{( nan_rows)?}} :
// CHECK-NOT: math.exp

#map = affine_map<(d0, d1, d2) -> (d1, d2)>
#map1 = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
#map2 = affine_map<(d0, d1, d2) -> (d0, d1)>
#map3 = affine_map<(d0, d1, d2) -> (d0, d1, 0)>
module {
  func.func @main(%arg0: tensor<2x7x8xf32>, %arg1: tensor<3x8xf32>) -> tensor<2x3x8xf32> {
    %c0_i64 = arith.constant 0 : i64
    %cst = arith.constant 0.000000e+00 : f32
    %cst_0 = arith.constant 0xFF800000 : f32
    %cst_1 = arith.constant 2.500000e-01 : f32
    %0 = tensor.empty() : tensor<2x8x7xf32>
    %transposed = linalg.transpose ins(%arg0 : tensor<2x7x8xf32>) outs(%0 : tensor<2x8x7xf32>) permutation = [0, 2, 1]
    %1 = tensor.empty() : tensor<2x3x8xf32>
    %2 = linalg.generic {indexing_maps = [#map, #map1], iterator_types = ["parallel", "parallel", "parallel"]} ins(%arg1 : tensor<3x8xf32>) outs(%1 : tensor<2x3x8xf32>) {
    ^bb0(%in: f32, %out: f32):
      linalg.yield %in : f32
    } -> tensor<2x3x8xf32>
    %3 = tensor.empty() : tensor<2x3x7xf32>
    %4 = linalg.fill ins(%cst : f32) outs(%3 : tensor<2x3x7xf32>) -> tensor<2x3x7xf32>
    %5 = linalg.batch_matmul ins(%2, %transposed : tensor<2x3x8xf32>, tensor<2x8x7xf32>) outs(%4 : tensor<2x3x7xf32>) -> tensor<2x3x7xf32>
    %6 = linalg.generic {indexing_maps = [#map1, #map1], iterator_types = ["parallel", "parallel", "parallel"]} ins(%5 : tensor<2x3x7xf32>) outs(%3 : tensor<2x3x7xf32>) {
    ^bb0(%in: f32, %out: f32):
      %20 = arith.mulf %in, %cst_1 : f32
      linalg.yield %20 : f32
    } -> tensor<2x3x7xf32>
    %7 = tensor.empty() : tensor<2x3xi64>
    %8 = linalg.fill ins(%c0_i64 : i64) outs(%7 : tensor<2x3xi64>) -> tensor<2x3xi64>
    %9 = tensor.empty() : tensor<2x3xf32>
    %10 = linalg.fill ins(%cst_0 : f32) outs(%9 : tensor<2x3xf32>) -> tensor<2x3xf32>
    %11:2 = linalg.generic {indexing_maps = [#map1, #map2, #map2], iterator_types = ["parallel", "parallel", "reduction"]} ins(%6 : tensor<2x3x7xf32>) outs(%10, %8 : tensor<2x3xf32>, tensor<2x3xi64>) {
    ^bb0(%in: f32, %out: f32, %out_2: i64):
      %20 = linalg.index 2 : index
      %21 = arith.index_cast %20 : index to i64
      %22 = arith.maximumf %in, %out : f32
      %23 = arith.cmpf ogt, %in, %out : f32
      %24 = arith.select %23, %21, %out_2 : i64
      linalg.yield %22, %24 : f32, i64
    } -> (tensor<2x3xf32>, tensor<2x3xi64>)
    %expanded = tensor.expand_shape %11#0 [[0], [1, 2]] output_shape [2, 3, 1] : tensor<2x3xf32> into tensor<2x3x1xf32>
    %12 = linalg.generic {indexing_maps = [#map1, #map3, #map1], iterator_types = ["parallel", "parallel", "parallel"]} ins(%6, %expanded : tensor<2x3x7xf32>, tensor<2x3x1xf32>) outs(%3 : tensor<2x3x7xf32>) {
    ^bb0(%in: f32, %in_2: f32, %out: f32):
      %20 = arith.subf %in, %in_2 : f32
      linalg.yield %20 : f32
    } -> tensor<2x3x7xf32>
    %13 = linalg.generic {indexing_maps = [#map1, #map1], iterator_types = ["parallel", "parallel", "parallel"]} ins(%12 : tensor<2x3x7xf32>) outs(%3 : tensor<2x3x7xf32>) {
    ^bb0(%in: f32, %out: f32):
      %20 = math.exp %in : f32
      linalg.yield %20 : f32
    } -> tensor<2x3x7xf32>
    %14 = tensor.empty() : tensor<2x3x1xf32>
    %15 = linalg.fill ins(%cst : f32) outs(%14 : tensor<2x3x1xf32>) -> tensor<2x3x1xf32>
    %16 = linalg.generic {indexing_maps = [#map1, #map3], iterator_types = ["parallel", "parallel", "reduction"]} ins(%13 : tensor<2x3x7xf32>) outs(%15 : tensor<2x3x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %20 = arith.addf %in, %out : f32
      linalg.yield %20 : f32
    } -> tensor<2x3x1xf32>
    %17 = linalg.generic {indexing_maps = [#map1, #map3, #map1], iterator_types = ["parallel", "parallel", "parallel"]} ins(%13, %16 : tensor<2x3x7xf32>, tensor<2x3x1xf32>) outs(%3 : tensor<2x3x7xf32>) {
    ^bb0(%in: f32, %in_2: f32, %out: f32):
      %20 = arith.divf %in, %in_2 : f32
      linalg.yield %20 : f32
    } -> tensor<2x3x7xf32>
    %18 = linalg.fill ins(%cst : f32) outs(%1 : tensor<2x3x8xf32>) -> tensor<2x3x8xf32>
    %19 = linalg.batch_matmul ins(%17, %arg0 : tensor<2x3x7xf32>, tensor<2x7x8xf32>) outs(%18 : tensor<2x3x8xf32>) -> tensor<2x3x8xf32>
    return %19 : tensor<2x3x8xf32>
  }
}
