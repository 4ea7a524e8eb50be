// A tolerance that no degree can meet, because sums round.
// RUN: polyattn-opt %s --attn-approximate="target=avx512 rtol=1e-5" --remarks-filter='polyattn.*' 2>&1 | FileCheck %s

// CHECK: [Missed] ToleranceBelowRounding | {{.*}} Degree=3, Rank=969, Remark="score bound 0.1 needs degree 3, rank 969, whose rounding errors over up to 16384 keys are certified only to {{.*}}e-{{.*}}; the tolerance is 1e-05; at n = 16384 {{.*}}"
// CHECK-LABEL: func.func @sums
// CHECK-NOT: poly<
func.func @sums(%x: tensor<16384x16xf32>) -> tensor<16384x16xf32> {
  %o = attn.attention %x, %x, %x scale 0.25 bound <0.1, proved>
     : tensor<16384x16xf32>, tensor<16384x16xf32>, tensor<16384x16xf32> -> tensor<16384x16xf32>
  return %o : tensor<16384x16xf32>
}
