// What must not be rewritten, and the reason that is given. Bounds 9.8 and 102 are
// what a 6-layer sentence encoder shows on real text.
// RUN: polyattn-opt %s --split-input-file --attn-approximate=target=avx512 | FileCheck %s
// RUN: polyattn-opt %s --split-input-file --attn-approximate=target=avx512 --remarks-filter='polyattn.*' 2>&1 >/dev/null | FileCheck %s --check-prefix=REMARK

// REMARK: [Missed] NoBound | Category:polyattn:attn-approximate | Function=no_bound | Remark="no score bound is known: add `bound <B, declared>`
// CHECK-LABEL: func.func @no_bound
// CHECK-NOT: poly<
func.func @no_bound(%x: tensor<8x16384x64xf32>) -> tensor<8x16384x64xf32> {
  %o = attn.attention %x, %x, %x scale 0.125
     : tensor<8x16384x64xf32>, tensor<8x16384x64xf32>, tensor<8x16384x64xf32> -> tensor<8x16384x64xf32>
  return %o : tensor<8x16384x64xf32>
}

// -----
// REMARK: [Missed] BoundTooLarge | {{.*}} | Degree=14, Rank={{[0-9]+}}, Remark="score bound 9.8 needs degree 14, rank 2.4e+11; the state of one head would take {{.*}} MiB, more than 32, and it would cost {{.*}}x direct evaluation; at n = 256 a state pays for score bounds up to 0.199 (degree 1)", ScoreBound=9.8
// CHECK-LABEL: func.func @encoder
// CHECK-NOT: poly<
func.func @encoder(%x: tensor<12x256x32xf32>) -> tensor<12x256x32xf32> {
  %o = attn.attention %x, %x, %x scale 0.17677669529663687 bound <9.8, profiled>
     : tensor<12x256x32xf32>, tensor<12x256x32xf32>, tensor<12x256x32xf32> -> tensor<12x256x32xf32>
  return %o : tensor<12x256x32xf32>
}

// -----
// REMARK: [Missed] BoundTooLarge | {{.*}} Remark="score bound 102 is too large: no polynomial in double precision keeps within 0.01; at n = 256 a state pays for score bounds up to 0.199 (degree 1)"
// CHECK-LABEL: func.func @encoder_largest
// CHECK-NOT: poly<
func.func @encoder_largest(%x: tensor<12x256x32xf32>) -> tensor<12x256x32xf32> {
  %o = attn.attention %x, %x, %x scale 0.17677669529663687 bound <102.0, profiled>
     : tensor<12x256x32xf32>, tensor<12x256x32xf32>, tensor<12x256x32xf32> -> tensor<12x256x32xf32>
  return %o : tensor<12x256x32xf32>
}

// -----
// REMARK: [Missed] TooShort | {{.*}} BreakEvenLength=[[L:[0-9]+]], Degree=2, Gain=0.{{[0-9]+}}, Rank=561, Remark="score bound 0.5 needs degree 2, rank 561; the state would cost {{.*}}x direct evaluation at n = 256; with as many queries as keys it pays from n = [[L]] on"
// CHECK-LABEL: func.func @short
// CHECK-NOT: poly<
func.func @short(%x: tensor<12x256x32xf32>) -> tensor<12x256x32xf32> {
  %o = attn.attention %x, %x, %x scale 0.17677669529663687 bound <0.5, declared>
     : tensor<12x256x32xf32>, tensor<12x256x32xf32>, tensor<12x256x32xf32> -> tensor<12x256x32xf32>
  return %o : tensor<12x256x32xf32>
}

// -----
// REMARK: [Missed] NoState | {{.*}} Remark="cannot be evaluated through a state: its scores have an additive bias
// CHECK-LABEL: func.func @bias
// CHECK-NOT: poly<
func.func @bias(%x: tensor<16384x64xf32>, %b: tensor<1x16384xf32>) -> tensor<16384x64xf32> {
  %o = attn.attention %x, %x, %x bias(%b : tensor<1x16384xf32>) scale 0.125 bound <0.5, proved>
     : tensor<16384x64xf32>, tensor<16384x64xf32>, tensor<16384x64xf32> -> tensor<16384x64xf32>
  return %o : tensor<16384x64xf32>
}

// -----
// A window is as short for any number of queries.
// REMARK: [Missed] TooShort | {{.*}} Remark="score bound 0.5 needs degree 2, rank 2145; the state would cost {{.*}}x direct evaluation at n = 16384; it pays at no length"
// CHECK-LABEL: func.func @window
// CHECK-NOT: poly<
func.func @window(%x: tensor<16384x64xf32>) -> tensor<16384x64xf32> {
  %o = attn.attention %x, %x, %x scale 0.125 mask sliding_window<left = 1000, right = 0> bound <0.5, proved>
     : tensor<16384x64xf32>, tensor<16384x64xf32>, tensor<16384x64xf32> -> tensor<16384x64xf32>
  return %o : tensor<16384x64xf32>
}

// -----
// REMARK: [Missed] NoState | {{.*}} Remark="cannot be evaluated through a state: its head dimension is dynamic"
// CHECK-LABEL: func.func @head_dim
// CHECK-NOT: poly<
func.func @head_dim(%x: tensor<16384x?xf32>) -> tensor<16384x?xf32> {
  %o = attn.attention %x, %x, %x scale 0.125 bound <0.5, proved>
     : tensor<16384x?xf32>, tensor<16384x?xf32>, tensor<16384x?xf32> -> tensor<16384x?xf32>
  return %o : tensor<16384x?xf32>
}

// -----
// REMARK: [Missed] PolynomialKernel | {{.*}} Remark="the kernel is a polynomial already"
// CHECK-LABEL: func.func @taylor
// CHECK: poly<[1.000000e+00, 1.000000e+00, 5.000000e-01]>
func.func @taylor(%x: tensor<16384x64xf32>) -> tensor<16384x64xf32> {
  %o = attn.attention %x, %x, %x scale 0.125 kernel poly<[1.0, 1.0, 0.5]> bound <0.5, proved>
     : tensor<16384x64xf32>, tensor<16384x64xf32>, tensor<16384x64xf32> -> tensor<16384x64xf32>
  return %o : tensor<16384x64xf32>
}

// -----
// REMARK: [Missed] EvaluationChosen | {{.*}} Remark="`evaluate direct` is chosen already: drop it, or run attn-approximate before attn-schedule"
// CHECK-LABEL: func.func @chosen
// CHECK-NOT: poly<
func.func @chosen(%x: tensor<16384x64xf32>) -> tensor<16384x64xf32> {
  %o = attn.attention %x, %x, %x scale 0.125 bound <0.5, proved> evaluate direct
     : tensor<16384x64xf32>, tensor<16384x64xf32>, tensor<16384x64xf32> -> tensor<16384x64xf32>
  return %o : tensor<16384x64xf32>
}

// -----
// REMARK: [Missed] NoNativeState | {{.*}} Remark="score bound 0.5 needs degree 2, rank 2145; there is no native code for f64"
// CHECK-LABEL: func.func @double
// CHECK-NOT: poly<
func.func @double(%x: tensor<16384x64xf64>) -> tensor<16384x64xf64> {
  %o = attn.attention %x, %x, %x scale 0.125 bound <0.5, proved>
     : tensor<16384x64xf64>, tensor<16384x64xf64>, tensor<16384x64xf64> -> tensor<16384x64xf64>
  return %o : tensor<16384x64xf64>
}

// -----
// REMARK: [Missed] Empty | {{.*}} Remark="a dimension is 0: there is nothing to compute"
// CHECK-LABEL: func.func @empty
// CHECK-NOT: poly<
func.func @empty(%x: tensor<8x0x64xf32>) -> tensor<8x0x64xf32> {
  %o = attn.attention %x, %x, %x scale 0.125 bound <0.5, proved>
     : tensor<8x0x64xf32>, tensor<8x0x64xf32>, tensor<8x0x64xf32> -> tensor<8x0x64xf32>
  return %o : tensor<8x0x64xf32>
}

// -----
// The advice works when followed: 0.199 at n = 256, degree 1.
// REMARK: [Passed] Approximated | {{.*}} Degree=1
// CHECK-LABEL: func.func @advised
// CHECK: poly<
func.func @advised(%x: tensor<12x256x32xf32>) -> tensor<12x256x32xf32> {
  %o = attn.attention %x, %x, %x scale 0.17677669529663687 bound <0.199, profiled>
     : tensor<12x256x32xf32>, tensor<12x256x32xf32>, tensor<12x256x32xf32> -> tensor<12x256x32xf32>
  return %o : tensor<12x256x32xf32>
}

// -----
// With such a scale norms would have to stay below 1.
// REMARK: [Missed] FeaturesOverflow | {{.*}} Remark="features of degree 2 over up to 262144 keys could overflow at any norm
// CHECK-LABEL: func.func @overflow
// CHECK-NOT: poly<
func.func @overflow(%x: tensor<64x262144x4xf32>) -> tensor<64x262144x4xf32> {
  %o = attn.attention %x, %x, %x scale 1.0e6 bound <0.5, declared>
     : tensor<64x262144x4xf32>, tensor<64x262144x4xf32>, tensor<64x262144x4xf32> -> tensor<64x262144x4xf32>
  return %o : tensor<64x262144x4xf32>
}
