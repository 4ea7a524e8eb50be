// RUN: polyattn-opt %s --attn-approximate=target=avx512 --attn-verify-certificates | FileCheck %s
// RUN: polyattn-opt %s --attn-approximate=target=avx512 --remarks-filter='polyattn.*' 2>&1 >/dev/null | FileCheck %s --check-prefix=REMARK

// Heads 0 and 1 share keys, and so one decision; 2 and 3 stay exact; so do 4 and 5, for another reason, and with them.
// CHECK-LABEL: func @runs(
// CHECK-SAME:    %[[Q:.*]]: tensor<2x8x16384x32xf32>, %[[K:.*]]: tensor<2x4x16384x32xf32>, %[[W:.*]]: tensor<1x4x16384xf32>)
// CHECK:         %[[Q0:.*]] = tensor.extract_slice %[[Q]][0, 0, 0, 0] [2, 2, 16384, 32]
// CHECK:         %[[K0:.*]] = tensor.extract_slice %[[K]][0, 0, 0, 0] [2, 1, 16384, 32]
// CHECK:         %[[W0:.*]] = tensor.extract_slice %[[W]][0, 0, 0] [1, 1, 16384]
// CHECK:         %[[A:.*]] = attn.attention %[[Q0]], %[[K0]], {{.*}} key_weights(%[[W0]] {{.*}} kernel poly<[{{[^,]*}}, {{[^,]*}}]> bound <1.500000e-01, proved>
// CHECK:         %[[Q1:.*]] = tensor.extract_slice %[[Q]][0, 2, 0, 0] [2, 4, 16384, 32]
// CHECK:         %[[K1:.*]] = tensor.extract_slice %[[K]][0, 1, 0, 0] [2, 2, 16384, 32]
// CHECK:         %[[B:.*]] = attn.attention %[[Q1]], %[[K1]]
// CHECK-NOT:     certificate
// CHECK-SAME:    bound <1.000000e+02, proved> : tensor<2x4x16384x32xf32>
// CHECK:         %[[C:.*]] = attn.attention {{.*}} kernel poly<[{{[^,]*}}, {{[^,]*}}, {{[^,]*}}]> bound <4.000000e-01, proved>
// CHECK:         tensor.insert_slice %[[A]] into %{{.*}}[0, 0, 0, 0] [2, 2, 16384, 32]
// CHECK:         tensor.insert_slice %[[B]] into %{{.*}}[0, 2, 0, 0] [2, 4, 16384, 32]
// CHECK:         %[[R:.*]] = tensor.insert_slice %[[C]] into %{{.*}}[0, 6, 0, 0] [2, 2, 16384, 32]
// CHECK:         return %[[R]]
// REMARK: [Analysis] Heads | {{.*}} FirstHead=0, LastHead=1, Remark="query heads 0 to 1 are decided on their own:"
// REMARK: [Passed] Approximated | {{.*}} Degree=1
// REMARK: [Analysis] Heads | {{.*}} FirstHead=2, LastHead=5
// REMARK: [Missed] BoundTooLarge
// REMARK: [Analysis] Heads | {{.*}} FirstHead=6, LastHead=7
// REMARK: [Passed] Approximated | {{.*}} Degree=2
func.func @runs(%q: tensor<2x8x16384x32xf32>, %k: tensor<2x4x16384x32xf32>, %w: tensor<1x4x16384xf32>) -> tensor<2x8x16384x32xf32> {
  %o = attn.attention %q, %k, %k key_weights(%w : tensor<1x4x16384xf32>) scale 0.25 bound <100.0, proved>
     head_bounds [#attn.bound<0.1, proved>, #attn.bound<0.15, proved>, #attn.bound<100.0, proved>, #attn.bound<0.1, proved>,
                  #attn.bound<8.0, proved>, #attn.bound<0.1, proved>, #attn.bound<0.4, proved>, #attn.bound<0.1, proved>]
     : tensor<2x8x16384x32xf32>, tensor<2x4x16384x32xf32>, tensor<2x4x16384x32xf32> -> tensor<2x8x16384x32xf32>
  return %o : tensor<2x8x16384x32xf32>
}

// One decision: the op stays whole.
// CHECK-LABEL: func @alike(
// CHECK-NOT:     tensor.extract_slice
// CHECK:         kernel poly<[{{[^,]*}}, {{[^,]*}}]> bound <1.500000e-01, proved>
func.func @alike(%x: tensor<2x16384x32xf32>) -> tensor<2x16384x32xf32> {
  %o = attn.attention %x, %x, %x scale 0.25 bound <0.15, proved> head_bounds [#attn.bound<0.1, proved>, #attn.bound<0.15, proved>]
     : tensor<2x16384x32xf32>, tensor<2x16384x32xf32>, tensor<2x16384x32xf32> -> tensor<2x16384x32xf32>
  return %o : tensor<2x16384x32xf32>
}

// What is guarded is guarded for its own heads.
// CHECK-LABEL: func @guarded(
// CHECK:         %[[Q:.*]] = tensor.extract_slice %{{.*}}[0, 0, 0] [1, 16384, 32]
// CHECK:         attn.check_bound %[[Q]]
// CHECK:         attn.attention {{.*}} bound <1.000000e+02, declared>
func.func @guarded(%x: tensor<2x16384x32xf32>) -> tensor<2x16384x32xf32> {
  %o = attn.attention %x, %x, %x scale 0.25 bound <100.0, declared> head_bounds [#attn.bound<0.1, declared>, #attn.bound<100.0, declared>]
     : tensor<2x16384x32xf32>, tensor<2x16384x32xf32>, tensor<2x16384x32xf32> -> tensor<2x16384x32xf32>
  return %o : tensor<2x16384x32xf32>
}
