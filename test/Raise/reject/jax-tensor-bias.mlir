// A bias of pairs.
//
// ARGS: normal normal normal normal normal normal
// RUN: polyattn-opt %s --pass-pipeline='builtin.module(attn-raise)' --remarks-filter-missed=polyattn 2>&1 | FileCheck %s
// CHECK: attention not raised: something is added to scores, and attn.tensor_attention has no bias
// CHECK-NOT: = attn.

#map = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d3, d2)>
#map1 = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d4, d2)>
#map2 = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d3, d4)>
#map3 = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d3, d2, d4)>
#map4 = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d2, d5, d3)>
#map5 = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d4, d5)>
#map6 = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d2, d3, d4)>
#map7 = affine_map<(d0, d1, d2, d3, d4) -> ()>
#map8 = affine_map<(d0, d1, d2, d3, d4) -> (d0, 0, 0, d3, d4)>
#map9 = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2)>
#map10 = affine_map<(d0, d1, d2) -> ()>
#map11 = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
#map12 = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, 0, 0)>
#map13 = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d2, d4, d5)>
#map14 = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d5, d3, d4)>
#map15 = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d2, d3)>
module {
  func.func @main(%arg0: tensor<1x2x5x4xf32>, %arg1: tensor<1x2x6x4xf32>, %arg2: tensor<1x2x7x4xf32>, %arg3: tensor<1x2x6x3xf32>, %arg4: tensor<1x2x7x3xf32>, %arg5: tensor<6x7xf32>) -> (tensor<1x2x5x3xf32>) {
    %cst = arith.constant 0xFF800000 : f32
    %cst_0 = arith.constant 0.000000e+00 : f32
    %cst_1 = arith.constant dense<0xFF800000> : tensor<f32>
    %cst_2 = arith.constant dense<5.000000e-01> : tensor<f32>
    %0 = tensor.empty() : tensor<1x2x4x6x5xf32>
    %1 = linalg.fill ins(%cst_0 : f32) outs(%0 : tensor<1x2x4x6x5xf32>) -> tensor<1x2x4x6x5xf32>
    %2 = linalg.generic {indexing_maps = [#map, #map1, #map2], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%arg1, %arg0 : tensor<1x2x6x4xf32>, tensor<1x2x5x4xf32>) outs(%1 : tensor<1x2x4x6x5xf32>) {
    ^bb0(%in: f32, %in_5: f32, %out: f32):
      %34 = arith.mulf %in, %in_5 : f32
      %35 = arith.addf %out, %34 : f32
      linalg.yield %35 : f32
    } -> tensor<1x2x4x6x5xf32>
    %3 = tensor.empty() : tensor<1x2x6x4x5xf32>
    %4 = linalg.generic {indexing_maps = [#map3, #map2], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%2 : tensor<1x2x4x6x5xf32>) outs(%3 : tensor<1x2x6x4x5xf32>) {
    ^bb0(%in: f32, %out: f32):
      linalg.yield %in : f32
    } -> tensor<1x2x6x4x5xf32>
    %5 = tensor.empty() : tensor<1x2x6x5x7xf32>
    %6 = linalg.fill ins(%cst_0 : f32) outs(%5 : tensor<1x2x6x5x7xf32>) -> tensor<1x2x6x5x7xf32>
    %7 = linalg.generic {indexing_maps = [#map4, #map5, #map6], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel", "reduction"]} ins(%4, %arg2 : tensor<1x2x6x4x5xf32>, tensor<1x2x7x4xf32>) outs(%6 : tensor<1x2x6x5x7xf32>) {
    ^bb0(%in: f32, %in_5: f32, %out: f32):
      %34 = arith.mulf %in, %in_5 : f32
      %35 = arith.addf %out, %34 : f32
      linalg.yield %35 : f32
    } -> tensor<1x2x6x5x7xf32>
    %8 = tensor.empty() : tensor<1x2x5x6x7xf32>
    %9 = linalg.generic {indexing_maps = [#map3, #map2], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%7 : tensor<1x2x6x5x7xf32>) outs(%8 : tensor<1x2x5x6x7xf32>) {
    ^bb0(%in: f32, %out: f32):
      linalg.yield %in : f32
    } -> tensor<1x2x5x6x7xf32>
    %10 = linalg.generic {indexing_maps = [#map7, #map2], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%cst_2 : tensor<f32>) outs(%8 : tensor<1x2x5x6x7xf32>) {
    ^bb0(%in: f32, %out: f32):
      linalg.yield %in : f32
    } -> tensor<1x2x5x6x7xf32>
    %11 = linalg.generic {indexing_maps = [#map2, #map2, #map2], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%9, %10 : tensor<1x2x5x6x7xf32>, tensor<1x2x5x6x7xf32>) outs(%8 : tensor<1x2x5x6x7xf32>) {
    ^bb0(%in: f32, %in_5: f32, %out: f32):
      %34 = arith.mulf %in, %in_5 : f32
      linalg.yield %34 : f32
    } -> tensor<1x2x5x6x7xf32>
    %expanded = tensor.expand_shape %arg5 [[0, 1, 2, 3], [4]] output_shape [1, 1, 1, 6, 7] : tensor<6x7xf32> into tensor<1x1x1x6x7xf32>
    %12 = linalg.generic {indexing_maps = [#map8, #map2], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%expanded : tensor<1x1x1x6x7xf32>) outs(%8 : tensor<1x2x5x6x7xf32>) {
    ^bb0(%in: f32, %out: f32):
      linalg.yield %in : f32
    } -> tensor<1x2x5x6x7xf32>
    %13 = linalg.generic {indexing_maps = [#map2, #map2, #map2], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%11, %12 : tensor<1x2x5x6x7xf32>, tensor<1x2x5x6x7xf32>) outs(%8 : tensor<1x2x5x6x7xf32>) {
    ^bb0(%in: f32, %in_5: f32, %out: f32):
      %34 = arith.addf %in, %in_5 : f32
      linalg.yield %34 : f32
    } -> tensor<1x2x5x6x7xf32>
    %14 = tensor.empty() : tensor<1x2x5xf32>
    %15 = linalg.fill ins(%cst : f32) outs(%14 : tensor<1x2x5xf32>) -> tensor<1x2x5xf32>
    %16 = linalg.generic {indexing_maps = [#map2, #map9], iterator_types = ["parallel", "parallel", "parallel", "reduction", "reduction"]} ins(%13 : tensor<1x2x5x6x7xf32>) outs(%15 : tensor<1x2x5xf32>) {
    ^bb0(%in: f32, %out: f32):
      %34 = arith.maximumf %out, %in : f32
      linalg.yield %34 : f32
    } -> tensor<1x2x5xf32>
    %17 = linalg.generic {indexing_maps = [#map10, #map11], iterator_types = ["parallel", "parallel", "parallel"]} ins(%cst_1 : tensor<f32>) outs(%14 : tensor<1x2x5xf32>) {
    ^bb0(%in: f32, %out: f32):
      linalg.yield %in : f32
    } -> tensor<1x2x5xf32>
    %18 = linalg.generic {indexing_maps = [#map11, #map11, #map11], iterator_types = ["parallel", "parallel", "parallel"]} ins(%17, %16 : tensor<1x2x5xf32>, tensor<1x2x5xf32>) outs(%14 : tensor<1x2x5xf32>) {
    ^bb0(%in: f32, %in_5: f32, %out: f32):
      %34 = arith.maximumf %in, %in_5 : f32
      linalg.yield %34 : f32
    } -> tensor<1x2x5xf32>
    %expanded_3 = tensor.expand_shape %18 [[0], [1], [2, 3, 4]] output_shape [1, 2, 5, 1, 1] : tensor<1x2x5xf32> into tensor<1x2x5x1x1xf32>
    %19 = linalg.generic {indexing_maps = [#map12, #map2], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%expanded_3 : tensor<1x2x5x1x1xf32>) outs(%8 : tensor<1x2x5x6x7xf32>) {
    ^bb0(%in: f32, %out: f32):
      linalg.yield %in : f32
    } -> tensor<1x2x5x6x7xf32>
    %20 = linalg.generic {indexing_maps = [#map2, #map2, #map2], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%13, %19 : tensor<1x2x5x6x7xf32>, tensor<1x2x5x6x7xf32>) outs(%8 : tensor<1x2x5x6x7xf32>) {
    ^bb0(%in: f32, %in_5: f32, %out: f32):
      %34 = arith.subf %in, %in_5 : f32
      linalg.yield %34 : f32
    } -> tensor<1x2x5x6x7xf32>
    %21 = linalg.generic {indexing_maps = [#map2, #map2], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%20 : tensor<1x2x5x6x7xf32>) outs(%8 : tensor<1x2x5x6x7xf32>) {
    ^bb0(%in: f32, %out: f32):
      %34 = math.exp %in : f32
      linalg.yield %34 : f32
    } -> tensor<1x2x5x6x7xf32>
    %22 = linalg.fill ins(%cst_0 : f32) outs(%14 : tensor<1x2x5xf32>) -> tensor<1x2x5xf32>
    %23 = linalg.generic {indexing_maps = [#map2, #map9], iterator_types = ["parallel", "parallel", "parallel", "reduction", "reduction"]} ins(%21 : tensor<1x2x5x6x7xf32>) outs(%22 : tensor<1x2x5xf32>) {
    ^bb0(%in: f32, %out: f32):
      %34 = arith.addf %out, %in : f32
      linalg.yield %34 : f32
    } -> tensor<1x2x5xf32>
    %expanded_4 = tensor.expand_shape %23 [[0], [1], [2, 3, 4]] output_shape [1, 2, 5, 1, 1] : tensor<1x2x5xf32> into tensor<1x2x5x1x1xf32>
    %24 = linalg.generic {indexing_maps = [#map12, #map2], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%expanded_4 : tensor<1x2x5x1x1xf32>) outs(%8 : tensor<1x2x5x6x7xf32>) {
    ^bb0(%in: f32, %out: f32):
      linalg.yield %in : f32
    } -> tensor<1x2x5x6x7xf32>
    %25 = linalg.generic {indexing_maps = [#map2, #map2, #map2], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%21, %24 : tensor<1x2x5x6x7xf32>, tensor<1x2x5x6x7xf32>) outs(%8 : tensor<1x2x5x6x7xf32>) {
    ^bb0(%in: f32, %in_5: f32, %out: f32):
      %34 = arith.divf %in, %in_5 : f32
      linalg.yield %34 : f32
    } -> tensor<1x2x5x6x7xf32>
    %26 = tensor.empty() : tensor<1x2x3x7x6xf32>
    %27 = linalg.fill ins(%cst_0 : f32) outs(%26 : tensor<1x2x3x7x6xf32>) -> tensor<1x2x3x7x6xf32>
    %28 = linalg.generic {indexing_maps = [#map, #map1, #map2], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%arg4, %arg3 : tensor<1x2x7x3xf32>, tensor<1x2x6x3xf32>) outs(%27 : tensor<1x2x3x7x6xf32>) {
    ^bb0(%in: f32, %in_5: f32, %out: f32):
      %34 = arith.mulf %in, %in_5 : f32
      %35 = arith.addf %out, %34 : f32
      linalg.yield %35 : f32
    } -> tensor<1x2x3x7x6xf32>
    %29 = tensor.empty() : tensor<1x2x7x3x6xf32>
    %30 = linalg.generic {indexing_maps = [#map3, #map2], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]} ins(%28 : tensor<1x2x3x7x6xf32>) outs(%29 : tensor<1x2x7x3x6xf32>) {
    ^bb0(%in: f32, %out: f32):
      linalg.yield %in : f32
    } -> tensor<1x2x7x3x6xf32>
    %31 = tensor.empty() : tensor<1x2x5x3xf32>
    %32 = linalg.fill ins(%cst_0 : f32) outs(%31 : tensor<1x2x5x3xf32>) -> tensor<1x2x5x3xf32>
    %33 = linalg.generic {indexing_maps = [#map13, #map14, #map15], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction"]} ins(%25, %30 : tensor<1x2x5x6x7xf32>, tensor<1x2x7x3x6xf32>) outs(%32 : tensor<1x2x5x3xf32>) {
    ^bb0(%in: f32, %in_5: f32, %out: f32):
      %34 = arith.mulf %in, %in_5 : f32
      %35 = arith.addf %out, %34 : f32
      linalg.yield %35 : f32
    } -> tensor<1x2x5x3xf32>
    return %33 : tensor<1x2x5x3xf32>
  }
}

