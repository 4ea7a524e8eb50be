// exp of scores less logsumexp.
//
// ARGS: normal normal normal
// RUN: polyattn-opt %s --pass-pipeline='builtin.module(attn-raise)' | FileCheck %s
// CHECK: attn.attention {{.*}}scale {{(0\.4999[0-9]*|0\.5000[0-9]*|5\.000000e-01)}}{{( nan_rows)?}} :
// CHECK-NOT: math.exp

#map = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d4)>
#map1 = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d3, d4)>
#map2 = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d3)>
#map3 = affine_map<(d0, d1, d2, d3) -> ()>
#map4 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
#map5 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2)>
#map6 = affine_map<(d0, d1, d2) -> ()>
#map7 = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
#map8 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, 0)>
#map9 = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d4, d3)>
module {
  func.func @main(%arg0: tensor<1x2x5x4xf32>, %arg1: tensor<1x2x7x4xf32>, %arg2: tensor<1x2x7x4xf32>) -> (tensor<1x2x5x4xf32>) {
    %cst = arith.constant 0x7F800000 : f32
    %cst_0 = arith.constant 0xFF800000 : f32
    %cst_1 = arith.constant 0.000000e+00 : f32
    %cst_2 = arith.constant dense<0.000000e+00> : tensor<f32>
    %cst_3 = arith.constant dense<0xFF800000> : tensor<f32>
    %cst_4 = arith.constant dense<5.000000e-01> : tensor<f32>
    %0 = tensor.empty() : tensor<1x2x5x7xf32>
    %1 = linalg.fill ins(%cst_1 : f32) outs(%0 : tensor<1x2x5x7xf32>) -> tensor<1x2x5x7xf32>
    %2 = linalg.generic {indexing_maps = [#map, #map1, #map2], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]} ins(%arg0, %arg1 : tensor<1x2x5x4xf32>, tensor<1x2x7x4xf32>) outs(%1 : tensor<1x2x5x7xf32>) {
    ^bb0(%in: f32, %in_6: f32, %out: f32):
      %29 = arith.mulf %in, %in_6 : f32
      %30 = arith.addf %out, %29 : f32
      linalg.yield %30 : f32
    } -> tensor<1x2x5x7xf32>
    %3 = linalg.generic {indexing_maps = [#map3, #map4], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%cst_4 : tensor<f32>) outs(%0 : tensor<1x2x5x7xf32>) {
    ^bb0(%in: f32, %out: f32):
      linalg.yield %in : f32
    } -> tensor<1x2x5x7xf32>
    %4 = linalg.generic {indexing_maps = [#map4, #map4, #map4], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%2, %3 : tensor<1x2x5x7xf32>, tensor<1x2x5x7xf32>) outs(%0 : tensor<1x2x5x7xf32>) {
    ^bb0(%in: f32, %in_6: f32, %out: f32):
      %29 = arith.mulf %in, %in_6 : f32
      linalg.yield %29 : f32
    } -> tensor<1x2x5x7xf32>
    %5 = tensor.empty() : tensor<1x2x5xf32>
    %6 = linalg.fill ins(%cst_0 : f32) outs(%5 : tensor<1x2x5xf32>) -> tensor<1x2x5xf32>
    %7 = linalg.generic {indexing_maps = [#map4, #map5], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%4 : tensor<1x2x5x7xf32>) outs(%6 : tensor<1x2x5xf32>) {
    ^bb0(%in: f32, %out: f32):
      %29 = arith.maximumf %out, %in : f32
      linalg.yield %29 : f32
    } -> tensor<1x2x5xf32>
    %8 = linalg.generic {indexing_maps = [#map6, #map7], iterator_types = ["parallel", "parallel", "parallel"]} ins(%cst_3 : tensor<f32>) outs(%5 : tensor<1x2x5xf32>) {
    ^bb0(%in: f32, %out: f32):
      linalg.yield %in : f32
    } -> tensor<1x2x5xf32>
    %9 = linalg.generic {indexing_maps = [#map7, #map7, #map7], iterator_types = ["parallel", "parallel", "parallel"]} ins(%8, %7 : tensor<1x2x5xf32>, tensor<1x2x5xf32>) outs(%5 : tensor<1x2x5xf32>) {
    ^bb0(%in: f32, %in_6: f32, %out: f32):
      %29 = arith.maximumf %in, %in_6 : f32
      linalg.yield %29 : f32
    } -> tensor<1x2x5xf32>
    %expanded = tensor.expand_shape %9 [[0], [1], [2, 3]] output_shape [1, 2, 5, 1] : tensor<1x2x5xf32> into tensor<1x2x5x1xf32>
    %10 = tensor.empty() : tensor<1x2x5x1xi1>
    %11 = linalg.generic {indexing_maps = [#map4, #map4], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%expanded : tensor<1x2x5x1xf32>) outs(%10 : tensor<1x2x5x1xi1>) {
    ^bb0(%in: f32, %out: i1):
      %29 = math.absf %in : f32
      %30 = arith.cmpf one, %29, %cst : f32
      linalg.yield %30 : i1
    } -> tensor<1x2x5x1xi1>
    %12 = tensor.empty() : tensor<1x2x5x1xf32>
    %13 = linalg.generic {indexing_maps = [#map3, #map4], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%cst_2 : tensor<f32>) outs(%12 : tensor<1x2x5x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      linalg.yield %in : f32
    } -> tensor<1x2x5x1xf32>
    %14 = linalg.generic {indexing_maps = [#map4, #map4, #map4, #map4], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%11, %expanded, %13 : tensor<1x2x5x1xi1>, tensor<1x2x5x1xf32>, tensor<1x2x5x1xf32>) outs(%12 : tensor<1x2x5x1xf32>) {
    ^bb0(%in: i1, %in_6: f32, %in_7: f32, %out: f32):
      %29 = arith.select %in, %in_6, %in_7 : f32
      linalg.yield %29 : f32
    } -> tensor<1x2x5x1xf32>
    %15 = linalg.generic {indexing_maps = [#map8, #map4], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%14 : tensor<1x2x5x1xf32>) outs(%0 : tensor<1x2x5x7xf32>) {
    ^bb0(%in: f32, %out: f32):
      linalg.yield %in : f32
    } -> tensor<1x2x5x7xf32>
    %16 = linalg.generic {indexing_maps = [#map4, #map4, #map4], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%4, %15 : tensor<1x2x5x7xf32>, tensor<1x2x5x7xf32>) outs(%0 : tensor<1x2x5x7xf32>) {
    ^bb0(%in: f32, %in_6: f32, %out: f32):
      %29 = arith.subf %in, %in_6 : f32
      linalg.yield %29 : f32
    } -> tensor<1x2x5x7xf32>
    %17 = linalg.generic {indexing_maps = [#map4, #map4], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%16 : tensor<1x2x5x7xf32>) outs(%0 : tensor<1x2x5x7xf32>) {
    ^bb0(%in: f32, %out: f32):
      %29 = math.exp %in : f32
      linalg.yield %29 : f32
    } -> tensor<1x2x5x7xf32>
    %18 = linalg.fill ins(%cst_1 : f32) outs(%5 : tensor<1x2x5xf32>) -> tensor<1x2x5xf32>
    %19 = linalg.generic {indexing_maps = [#map4, #map5], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%17 : tensor<1x2x5x7xf32>) outs(%18 : tensor<1x2x5xf32>) {
    ^bb0(%in: f32, %out: f32):
      %29 = arith.addf %out, %in : f32
      linalg.yield %29 : f32
    } -> tensor<1x2x5xf32>
    %expanded_5 = tensor.expand_shape %19 [[0], [1], [2, 3]] output_shape [1, 2, 5, 1] : tensor<1x2x5xf32> into tensor<1x2x5x1xf32>
    %20 = linalg.generic {indexing_maps = [#map4, #map4], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%expanded_5 : tensor<1x2x5x1xf32>) outs(%12 : tensor<1x2x5x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %29 = math.absf %in : f32
      linalg.yield %29 : f32
    } -> tensor<1x2x5x1xf32>
    %21 = linalg.generic {indexing_maps = [#map4, #map4], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%20 : tensor<1x2x5x1xf32>) outs(%12 : tensor<1x2x5x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %29 = math.log %in : f32
      linalg.yield %29 : f32
    } -> tensor<1x2x5x1xf32>
    %22 = linalg.generic {indexing_maps = [#map4, #map4, #map4], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%21, %14 : tensor<1x2x5x1xf32>, tensor<1x2x5x1xf32>) outs(%12 : tensor<1x2x5x1xf32>) {
    ^bb0(%in: f32, %in_6: f32, %out: f32):
      %29 = arith.addf %in, %in_6 : f32
      linalg.yield %29 : f32
    } -> tensor<1x2x5x1xf32>
    %23 = linalg.generic {indexing_maps = [#map8, #map4], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%22 : tensor<1x2x5x1xf32>) outs(%0 : tensor<1x2x5x7xf32>) {
    ^bb0(%in: f32, %out: f32):
      linalg.yield %in : f32
    } -> tensor<1x2x5x7xf32>
    %24 = linalg.generic {indexing_maps = [#map4, #map4, #map4], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%4, %23 : tensor<1x2x5x7xf32>, tensor<1x2x5x7xf32>) outs(%0 : tensor<1x2x5x7xf32>) {
    ^bb0(%in: f32, %in_6: f32, %out: f32):
      %29 = arith.subf %in, %in_6 : f32
      linalg.yield %29 : f32
    } -> tensor<1x2x5x7xf32>
    %25 = linalg.generic {indexing_maps = [#map4, #map4], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%24 : tensor<1x2x5x7xf32>) outs(%0 : tensor<1x2x5x7xf32>) {
    ^bb0(%in: f32, %out: f32):
      %29 = math.exp %in : f32
      linalg.yield %29 : f32
    } -> tensor<1x2x5x7xf32>
    %26 = tensor.empty() : tensor<1x2x5x4xf32>
    %27 = linalg.fill ins(%cst_1 : f32) outs(%26 : tensor<1x2x5x4xf32>) -> tensor<1x2x5x4xf32>
    %28 = linalg.generic {indexing_maps = [#map, #map9, #map2], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]} ins(%25, %arg2 : tensor<1x2x5x7xf32>, tensor<1x2x7x4xf32>) outs(%27 : tensor<1x2x5x4xf32>) {
    ^bb0(%in: f32, %in_6: f32, %out: f32):
      %29 = arith.mulf %in, %in_6 : f32
      %30 = arith.addf %out, %29 : f32
      linalg.yield %30 : f32
    } -> tensor<1x2x5x4xf32>
    return %28 : tensor<1x2x5x4xf32>
  }
}

