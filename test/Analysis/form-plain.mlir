// Attention of arguments (torch): nothing bounds them, unless it is assumed.
// RUN: polyattn-opt %s --attn-infer-bounds=report-contractions --remarks-filter='polyattn.*' -o /dev/null 2>&1 | FileCheck %s
// RUN: polyattn-opt %s --attn-infer-bounds='assume-inputs=2 report-contractions' --remarks-filter='polyattn.*' -o /dev/null 2>&1 | FileCheck %s --check-prefix=ASSUMED
// CHECK: no bound: nothing is known of argument 0"
// ASSUMED: contraction bound
#map = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
#map1 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2)>
#map2 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, 0)>
module {
  func.func @main(%arg0: tensor<1x4x128x32xf32>, %arg1: tensor<1x4x128x32xf32>, %arg2: tensor<1x4x128x32xf32>) -> tensor<4x128x128xf32> {
    %cst = arith.constant 0.000000e+00 : f32
    %cst_3 = arith.constant 0.42044820762685725 : f64
    %0 = tensor.empty() : tensor<1x4x128x32xf32>
    %1 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%arg0 : tensor<1x4x128x32xf32>) outs(%0 : tensor<1x4x128x32xf32>) {
    ^bb0(%in: f32, %out: f32):
      %28 = arith.truncf %cst_3 : f64 to f32
      %29 = arith.mulf %in, %28 : f32
      linalg.yield %29 : f32
    } -> tensor<1x4x128x32xf32>
    %2 = tensor.empty() : tensor<1x4x32x128xf32>
    %transposed = linalg.transpose ins(%arg1 : tensor<1x4x128x32xf32>) outs(%2 : tensor<1x4x32x128xf32>) permutation = [0, 1, 3, 2] 
    %3 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%transposed : tensor<1x4x32x128xf32>) outs(%2 : tensor<1x4x32x128xf32>) {
    ^bb0(%in: f32, %out: f32):
      %28 = arith.truncf %cst_3 : f64 to f32
      %29 = arith.mulf %in, %28 : f32
      linalg.yield %29 : f32
    } -> tensor<1x4x32x128xf32>
    %collapsed = tensor.collapse_shape %1 [[0, 1], [2], [3]] : tensor<1x4x128x32xf32> into tensor<4x128x32xf32>
    %collapsed_4 = tensor.collapse_shape %3 [[0, 1], [2], [3]] : tensor<1x4x32x128xf32> into tensor<4x32x128xf32>
    %4 = tensor.empty() : tensor<4x128x128xf32>
    %5 = linalg.fill ins(%cst : f32) outs(%4 : tensor<4x128x128xf32>) -> tensor<4x128x128xf32>
    %6 = linalg.batch_matmul ins(%collapsed, %collapsed_4 : tensor<4x128x32xf32>, tensor<4x32x128xf32>) outs(%5 : tensor<4x128x128xf32>) -> tensor<4x128x128xf32>
    return %6 : tensor<4x128x128xf32>
  }
}
