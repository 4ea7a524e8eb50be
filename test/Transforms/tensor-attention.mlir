// Passes know attn.tensor_attention through its interface only.
// RUN: polyattn-opt %s --attn-infer-bounds --remarks-filter='polyattn.*' 2>&1 | FileCheck %s --check-prefix=BOUND
// RUN: polyattn-opt %s --attn-infer-bounds --attn-approximate=target=avx512 --attn-verify-certificates --attn-schedule=target=avx512 | FileCheck %s
// RUN: polyattn-opt %s --attn-infer-bounds --attn-approximate=target=avx512 --remarks-filter='polyattn.*' -o /dev/null 2>&1 | FileCheck %s --check-prefix=REMARK
// RUN: polyattn-opt %s --attn-instrument --remarks-filter='polyattn.*' -o /dev/null 2>&1 | FileCheck %s --check-prefix=INSTRUMENT
// A profile has no entries for these ops, and needs none.
// RUN: echo '{"format": "polyattn-profile", "version": 1, "ops": {}}' > %t.json
// RUN: polyattn-opt %s --attn-apply-profile=file=%t.json -o /dev/null
// RUN: polyattn-opt %s --attn-approximate=target=avx512 --attn-print-certificates -o /dev/null 2>&1 | FileCheck %s --check-prefix=PRINT

// INSTRUMENT-COUNT-4: [Missed] NoRecord {{.*}}statistics are recorded of attn.attention only
// INSTRUMENT-NOT: Instrumented

// A bound of l3 norms: of 64 entries within 0.2, |x|_3 = (64 * 0.008)^(1/3) = 0.8, and 0.8^3 is 0.512.
// The l2 norms alone would say 1.6^3 = 4.096.
// BOUND: Function=proved {{.*}} Remark="score bound 0.512 (proved): 1 * |q| <= 0.8 ({{.*}}) * |k1| <= 0.8 ({{.*}}) * |k2| <= 0.8 ({{.*}}) in l3 norms"
// REMARK: [Passed] Approximated {{.*}} Function=proved {{.*}} degree 2, rank 2145
// CHECK-LABEL: @proved
// CHECK-NOT: check_bound
// CHECK: attn.tensor_attention {{.*}} kernel poly<[{{[^,]*}}, {{[^,]*}}, {{[^,]*}}]> bound <{{0.51[0-9]*}}, proved> certificate <{{.*}} assumption = proved> evaluate state
func.func @proved(%x: tensor<512x64xf32>, %v: tensor<512x64xf32>) -> tensor<512x64xf32> {
  %low = arith.constant dense<-0.2> : tensor<512x64xf32>
  %high = arith.constant dense<0.2> : tensor<512x64xf32>
  %a = arith.maximumf %x, %low : tensor<512x64xf32>
  %q = arith.minimumf %a, %high : tensor<512x64xf32>
  %o = attn.tensor_attention %q keys(%q, %q : tensor<512x64xf32>, tensor<512x64xf32>)
    values(%v, %v : tensor<512x64xf32>, tensor<512x64xf32>) scale 1.0 : tensor<512x64xf32> -> tensor<512x64xf32>
  return %o : tensor<512x64xf32>
}

// Every length that is not known is checked; what stays beside it is exact.
// BOUND: Function=declared {{.*}}no bound of |q| is proved
// CHECK-LABEL: @declared
// CHECK: %[[OK:.*]] = attn.check_bound %arg0, %arg1, %arg2 scale 5.000000e-01 bound 0.50{{[0-9]*}} max_norm
// CHECK: tensor.dim %arg1
// CHECK: arith.cmpi ule
// CHECK: tensor.dim %arg2
// CHECK: arith.cmpi ule
// CHECK: tensor.dim %arg0
// CHECK: arith.cmpi uge
// CHECK: scf.if
// CHECK: attn.tensor_attention {{.*}} kernel poly<{{.*}} mask causal bound {{.*}} assumption = guarded> evaluate state
// CHECK: } else {
// CHECK: attn.tensor_attention {{.*}} mask causal evaluate direct
// PRINT: tensor_attention in @declared: 4 heads, ? queries, ? x ? keys, d = 16, f32
// PRINT: max|value| is that of the entry's column, of products of a value of each set
// PRINT: |scale| times the product of the l3 norms of a query and a key of each set at most 0.5
// PRINT: keys in each set
func.func @declared(%q: tensor<4x?x16xf32>, %k1: tensor<2x?x16xf32>, %k2: tensor<2x?x16xf32>, %v1: tensor<2x?x16xf32>, %v2: tensor<2x?x16xf32>) -> tensor<4x?x16xf32> {
  %o = attn.tensor_attention %q keys(%k1, %k2 : tensor<2x?x16xf32>, tensor<2x?x16xf32>)
    values(%v1, %v2 : tensor<2x?x16xf32>, tensor<2x?x16xf32>) scale 0.5 mask causal bound <0.5, declared>
    : tensor<4x?x16xf32> -> tensor<4x?x16xf32>
  return %o : tensor<4x?x16xf32>
}

// Windows have states, which pays where pairs of keys are many.
// REMARK: [Passed] Approximated {{.*}} Function=window {{.*}} degree 2, rank 153
// CHECK-LABEL: @window
// CHECK: attn.tensor_attention {{.*}} mask [sliding_window<left = 31, right = 0>, sliding_window<left = 255, right = 0>] {{.*}} evaluate state
// CHECK: } else {
// CHECK: attn.tensor_attention {{.*}} evaluate direct
func.func @window(%q: tensor<512x16xf32>, %v: tensor<512x16xf32>) -> tensor<512x16xf32> {
  %o = attn.tensor_attention %q keys(%q, %q : tensor<512x16xf32>, tensor<512x16xf32>)
    values(%v, %v : tensor<512x16xf32>, tensor<512x16xf32>) scale 0.5
    mask [sliding_window<left = 31, right = 0>, sliding_window<left = 255, right = 0>] bound <0.5, declared>
    : tensor<512x16xf32> -> tensor<512x16xf32>
  return %o : tensor<512x16xf32>
}

// Pairs of short windows are cheaper one by one, however many queries there are.
// REMARK: [Missed] {{.*}} Function=short_windows
// CHECK-LABEL: @short_windows
// CHECK: attn.tensor_attention {{.*}} evaluate direct
func.func @short_windows(%q: tensor<4096x32xf32>, %v: tensor<4096x32xf32>) -> tensor<4096x32xf32> {
  %o = attn.tensor_attention %q keys(%q, %q : tensor<4096x32xf32>, tensor<4096x32xf32>)
    values(%v, %v : tensor<4096x32xf32>, tensor<4096x32xf32>) scale 0.5
    mask [sliding_window<left = 15, right = 0>, sliding_window<left = 15, right = 0>] bound <0.5, declared>
    : tensor<4096x32xf32> -> tensor<4096x32xf32>
  return %o : tensor<4096x32xf32>
}

// Of degree 3 a window needs more states than there is memory for.
// REMARK: [Missed] BoundTooLarge {{.*}} Function=large_states {{.*}} its key sets need 36 at a time
// CHECK-LABEL: @large_states
// CHECK: attn.tensor_attention {{.*}} evaluate direct
func.func @large_states(%q: tensor<4096x64xf32>, %v: tensor<4096x64xf32>) -> tensor<4096x64xf32> {
  %o = attn.tensor_attention %q keys(%q, %q : tensor<4096x64xf32>, tensor<4096x64xf32>)
    values(%v, %v : tensor<4096x64xf32>, tensor<4096x64xf32>) scale 0.5
    mask sliding_window<left = 511, right = 0> bound <1.0, declared> : tensor<4096x64xf32> -> tensor<4096x64xf32>
  return %o : tensor<4096x64xf32>
}

// Few tuples are cheaper one by one.
// REMARK: [Missed] TooShort {{.*}} Function=short
// CHECK-LABEL: @short
// CHECK: attn.tensor_attention {{.*}} evaluate direct
func.func @short(%q: tensor<16x64xf32>, %v: tensor<16x64xf32>) -> tensor<16x64xf32> {
  %o = attn.tensor_attention %q keys(%q, %q : tensor<16x64xf32>, tensor<16x64xf32>)
    values(%v, %v : tensor<16x64xf32>, tensor<16x64xf32>) scale 0.5 bound <0.5, declared>
    : tensor<16x64xf32> -> tensor<16x64xf32>
  return %o : tensor<16x64xf32>
}
