// RUN: polyattn-opt %s | FileCheck %s
// RUN: polyattn-opt %s | polyattn-opt | FileCheck %s
// RUN: polyattn-opt %s --mlir-print-op-generic | polyattn-opt | FileCheck %s
// RUN: polyattn-opt %s --emit-bytecode | polyattn-opt | FileCheck %s
// RUN: polyattn-opt %s --mlir-print-op-generic | FileCheck %s --check-prefix=GENERIC

// CHECK-LABEL: func.func @plain
// Defaults are not printed.
// CHECK: attn.attention %{{.*}}, %{{.*}}, %{{.*}} scale 1.250000e-01 : tensor<3x8xf32>, tensor<5x8xf32>, tensor<5x4xf32> -> tensor<3x4xf32>
// GENERIC-LABEL: sym_name = "plain"
// GENERIC: "attn.attention"(%{{.*}}, %{{.*}}, %{{.*}}) <{
// GENERIC-SAME: operandSegmentSizes = array<i32: 1, 1, 1, 0, 0>
// GENERIC-SAME: scale = 1.250000e-01 : f64
func.func @plain(%q: tensor<3x8xf32>, %k: tensor<5x8xf32>, %v: tensor<5x4xf32>) -> tensor<3x4xf32> {
  %0 = attn.attention %q, %k, %v scale 0.125 kernel exp mask full
     : tensor<3x8xf32>, tensor<5x8xf32>, tensor<5x4xf32> -> tensor<3x4xf32>
  return %0 : tensor<3x4xf32>
}

// CHECK-LABEL: func.func @masks
func.func @masks(%x: tensor<4x4x8xf32>) {
  // CHECK: scale 1.000000e+00 mask causal :
  %0 = attn.attention %x, %x, %x scale 1.0 mask causal : tensor<4x4x8xf32>, tensor<4x4x8xf32>, tensor<4x4x8xf32> -> tensor<4x4x8xf32>
  // CHECK: mask causal :
  %1 = attn.attention %x, %x, %x scale 1.0 mask causal<align = start> : tensor<4x4x8xf32>, tensor<4x4x8xf32>, tensor<4x4x8xf32> -> tensor<4x4x8xf32>
  // CHECK: mask causal<align = end> :
  %2 = attn.attention %x, %x, %x scale 1.0 mask causal<align = end> : tensor<4x4x8xf32>, tensor<4x4x8xf32>, tensor<4x4x8xf32> -> tensor<4x4x8xf32>
  // CHECK: mask sliding_window<left = 127, right = 0> :
  %3 = attn.attention %x, %x, %x scale 1.0 mask sliding_window<left = 127, right = 0> : tensor<4x4x8xf32>, tensor<4x4x8xf32>, tensor<4x4x8xf32> -> tensor<4x4x8xf32>
  // CHECK: mask sliding_window<left = 0, right = 2, align = end> :
  %4 = attn.attention %x, %x, %x scale 1.0 mask sliding_window<left = 0, right = 2, align = end> : tensor<4x4x8xf32>, tensor<4x4x8xf32>, tensor<4x4x8xf32> -> tensor<4x4x8xf32>
  // CHECK: mask prefix<length = 16> :
  %5 = attn.attention %x, %x, %x scale 1.0 mask prefix<length = 16> : tensor<4x4x8xf32>, tensor<4x4x8xf32>, tensor<4x4x8xf32> -> tensor<4x4x8xf32>
  // CHECK: mask prefix<length = 0, align = end> :
  %6 = attn.attention %x, %x, %x scale 1.0 mask prefix<length = 0, align = end> : tensor<4x4x8xf32>, tensor<4x4x8xf32>, tensor<4x4x8xf32> -> tensor<4x4x8xf32>
  // An attribute may also stand in parentheses, in full or by alias.
  // CHECK: mask prefix<length = 16> :
  %7 = attn.attention %x, %x, %x scale 1.0 mask (#attn.prefix<length = 16>) : tensor<4x4x8xf32>, tensor<4x4x8xf32>, tensor<4x4x8xf32> -> tensor<4x4x8xf32>
  // CHECK: mask causal :
  %8 = attn.attention %x, %x, %x scale 1.0 mask (#attn.causal) : tensor<4x4x8xf32>, tensor<4x4x8xf32>, tensor<4x4x8xf32> -> tensor<4x4x8xf32>
  // Grids of tokens are numbers of them.
  // CHECK: mask block_causal<scales = [1, 4, 6, 30, 7]> :
  %9 = attn.attention %x, %x, %x scale 1.0 mask block_causal<scales = [1x1, 2x2, 2x3, 5x2x3, 7]> : tensor<4x4x8xf32>, tensor<4x4x8xf32>, tensor<4x4x8xf32> -> tensor<4x4x8xf32>
  // CHECK: mask block_causal<scales = [2, 2], align = end> :
  %10 = attn.attention %x, %x, %x scale 1.0 mask block_causal<scales = [2, 2], align = end> : tensor<4x4x8xf32>, tensor<4x4x8xf32>, tensor<4x4x8xf32> -> tensor<4x4x8xf32>
  return
}

// CHECK-LABEL: func.func @everything
// CHECK: attn.attention %{{.*}}, %{{.*}}, %{{.*}} bias(%{{.*}} : tensor<1x8x?x1xf16>) key_weights(%{{.*}} : tensor<2x1x?xf32>)
// CHECK-SAME: scale -5.000000e-01 kernel poly<[1.000000e+00, 1.000000e-01, 5.000000e-01]> mask causal
// CHECK-SAME: bound <6.000000e-01, profiled>
// CHECK-SAME: certificate <score_bound = 6.000000e-01, kernel_error = 1.000000e-03, weight_change = 1.000000e-03
// CHECK-SAME: rounding_error = 1.000000e-05, output_error = 1.010000e-03, max_keys = 1048576, assumption = guarded>
// CHECK-SAME: evaluate direct {note = "kept"}
func.func @everything(%q: tensor<2x8x?x64xf16>, %k: tensor<2x2x?x64xf16>, %v: tensor<2x2x?x32xf16>,
                      %bias: tensor<1x8x?x1xf16>, %w: tensor<2x1x?xf32>) -> tensor<2x8x?x32xf16> {
  %0 = attn.attention %q, %k, %v bias(%bias : tensor<1x8x?x1xf16>) key_weights(%w : tensor<2x1x?xf32>) scale -0.5
       kernel poly<[1.0, 0.1, 0.5]> mask causal bound <0.6, profiled>
       certificate <score_bound = 0.6, kernel_error = 1.0e-3, weight_change = 1.0e-3, rounding_error = 1.0e-5,
                    output_error = 1.01e-3, max_keys = 1048576, assumption = guarded>
       evaluate direct {note = "kept"}
     : tensor<2x8x?x64xf16>, tensor<2x2x?x64xf16>, tensor<2x2x?x32xf16> -> tensor<2x8x?x32xf16>
  return %0 : tensor<2x8x?x32xf16>
}

// CHECK-LABEL: func.func @state
// CHECK: kernel poly<[1.000000e+00, 1.000000e+00]> bound <5.000000e-01, proved> evaluate state
func.func @state(%x: tensor<4x8xbf16>) -> tensor<4x8xbf16> {
  %0 = attn.attention %x, %x, %x scale 1.0 kernel poly<[1.0, 1.0]> bound <0.5, proved> evaluate state
     : tensor<4x8xbf16>, tensor<4x8xbf16>, tensor<4x8xbf16> -> tensor<4x8xbf16>
  return %0 : tensor<4x8xbf16>
}

// CHECK-LABEL: func.func @declared
// CHECK: bound <0.000000e+00, declared>
func.func @declared(%x: tensor<4x8xf64>) -> tensor<4x8xf64> {
  %0 = attn.attention %x, %x, %x scale 1.0 bound <0.0, declared>
     : tensor<4x8xf64>, tensor<4x8xf64>, tensor<4x8xf64> -> tensor<4x8xf64>
  return %0 : tensor<4x8xf64>
}

// Numbers keep every bit: a certificate is about these very coefficients.
// CHECK-LABEL: func.func private @digits
// CHECK-SAME: #attn.poly<[0.30000000000000004, 1.0000000000000002, 5.0000000000000006E-300]>
// CHECK-SAME: #attn.bound<0.30000000000000004, declared>
func.func private @digits() attributes {kernel = #attn.poly<[0.30000000000000004, 1.0000000000000002, 5.0000000000000006E-300]>,
                                        limit = #attn.bound<0.30000000000000004, declared>}

// CHECK-LABEL: func.func private @attributes
// CHECK-SAME: #attn.exp
// CHECK-SAME: #attn.full
// CHECK-SAME: #attn.causal<align = end>
// CHECK-SAME: assumption = proved
// CHECK-SAME: assumption = trusted
// CHECK-SAME: #attn<evaluation state>
func.func private @attributes() attributes {
  a = #attn.exp, b = #attn.full, c = #attn.causal<align = end>,
  d = #attn.certificate<score_bound = 0.5, kernel_error = 0.0, weight_change = 0.0, rounding_error = 0.0, output_error = 0.0,
                        max_keys = 1, assumption = proved>,
  e = #attn.certificate<score_bound = 0.5, kernel_error = 0.0, weight_change = 0.0, rounding_error = 0.0, output_error = 0.0,
                        max_keys = 1, assumption = trusted>,
  f = #attn<evaluation state>}

// CHECK-LABEL: func.func @check_bound
// CHECK: attn.check_bound %{{.*}}, %{{.*}} scale 1.250000e-01 bound 5.000000e-01 max_norm 1.000000e+09 {note = "kept"}
// CHECK-SAME: : tensor<4x?x64xf32>, tensor<2x?x64xf32>
func.func @check_bound(%q: tensor<4x?x64xf32>, %k: tensor<2x?x64xf32>) -> i1 {
  %0 = attn.check_bound %q, %k scale 0.125 bound 0.5 max_norm 1.0e9 {note = "kept"} : tensor<4x?x64xf32>, tensor<2x?x64xf32>
  return %0 : i1
}

// CHECK-LABEL: func.func @check_moments
// CHECK: attn.check_bound %{{.*}}, %{{.*}} key_weights(%{{.*}} : tensor<1x?xf32>) scale 1.250000e-01 bound 5.000000e-01 max_norm 1.000000e+09 second_moment 1.500000e-02 mean 1.000000e-03 mask causal<align = end>
// CHECK-SAME: : tensor<4x?x64xbf16>, tensor<2x?x64xbf16>
func.func @check_moments(%q: tensor<4x?x64xbf16>, %k: tensor<2x?x64xbf16>, %w: tensor<1x?xf32>) -> i1 {
  %0 = attn.check_bound %q, %k key_weights(%w : tensor<1x?xf32>) scale 0.125 bound 0.5 max_norm 1.0e9 second_moment 0.015 mean 0.001
     mask causal<align = end> : tensor<4x?x64xbf16>, tensor<2x?x64xbf16>
  return %0 : i1
}

// CHECK-LABEL: func.func @center_keys
// CHECK: attn.center_keys %{{.*}} : tensor<2x4x?x64xf16>
// CHECK: attn.center_keys %{{.*}} key_weights(%{{.*}} : tensor<1x4x?xf32>) : tensor<2x4x?x64xf16>
func.func @center_keys(%k: tensor<2x4x?x64xf16>, %w: tensor<1x4x?xf32>) -> tensor<2x4x?x64xf16> {
  %0 = attn.center_keys %k : tensor<2x4x?x64xf16>
  %1 = attn.center_keys %0 key_weights(%w : tensor<1x4x?xf32>) : tensor<2x4x?x64xf16>
  return %1 : tensor<2x4x?x64xf16>
}

// CHECK-LABEL: func.func @moments
// CHECK: bound <1.100000e+00, profiled, moments = <centred_bound = 9.000000e-01, second_moment = 1.270000e-02>>
// CHECK-SAME: head_bounds [#attn.bound<1.000000e+00, profiled, moments = <centred_bound = 8.000000e-01, second_moment = 1.200000e-02>>, #attn.bound<1.100000e+00, profiled>]
// CHECK: certificate <{{.*}} assumption = guarded, moments = <second_moment = 1.270000e-02, mean = 1.000000e-03, quadratic = 6.000000e-01>>
func.func @moments(%x: tensor<2x8x16xf32>) -> (tensor<2x8x16xf32>, tensor<2x8x16xf32>) {
  %0 = attn.attention %x, %x, %x scale 0.25 bound <1.1, profiled, moments = <centred_bound = 0.9, second_moment = 0.0127>>
     head_bounds [#attn.bound<1.0, profiled, moments = <centred_bound = 0.8, second_moment = 0.012>>, #attn.bound<1.1, profiled>]
     : tensor<2x8x16xf32>, tensor<2x8x16xf32>, tensor<2x8x16xf32> -> tensor<2x8x16xf32>
  %1 = attn.attention %x, %x, %x scale 0.25 kernel poly<[1.0, 1.0]> certificate
     <score_bound = 0.5, kernel_error = 0.0, weight_change = 0.1, rounding_error = 0.0, output_error = 0.1, max_keys = 8, assumption = guarded,
      moments = <second_moment = 0.0127, mean = 0.001, quadratic = 0.6>> : tensor<2x8x16xf32>, tensor<2x8x16xf32>, tensor<2x8x16xf32> -> tensor<2x8x16xf32>
  return %0, %1 : tensor<2x8x16xf32>, tensor<2x8x16xf32>
}

// CHECK-LABEL: func.func @nan_rows
func.func @nan_rows(%x: tensor<4x8xf32>, %bias: tensor<4x4xf32>) -> tensor<4x8xf32> {
  // CHECK: scale 1.000000e+00 mask causal nan_rows : tensor<4x8xf32>
  %0 = attn.attention %x, %x, %x bias(%bias : tensor<4x4xf32>) scale 1.0 mask causal nan_rows
     : tensor<4x8xf32>, tensor<4x8xf32>, tensor<4x8xf32> -> tensor<4x8xf32>
  return %0 : tensor<4x8xf32>
}
