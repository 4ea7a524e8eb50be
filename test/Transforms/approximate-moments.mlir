// RUN: polyattn-opt %s --attn-approximate=target=avx512 | FileCheck %s
// Without them a higher degree, or none.
// RUN: polyattn-opt %s --attn-approximate="target=avx512 moments=false" | FileCheck %s --check-prefix=WITHOUT
// RUN: polyattn-opt %s --attn-approximate="target=avx512 guard=never" | FileCheck %s --check-prefix=WITHOUT
// Whatever it writes is proved again, also after other passes have been over it; and running it again changes nothing.
// RUN: polyattn-opt %s --attn-approximate=target=avx512 --attn-verify-certificates --canonicalize --cse --attn-verify-certificates -o /dev/null
// RUN: polyattn-opt %s --attn-approximate=target=avx512 -o %t.once
// RUN: polyattn-opt %t.once --attn-approximate=target=avx512 -o %t.twice
// RUN: diff %t.once %t.twice
// RUN: polyattn-opt %s --attn-approximate=target=avx512 --remarks-filter='polyattn.*' 2>&1 >/dev/null | FileCheck %s --check-prefix=REMARK

// WITHOUT-NOT: assumption = guarded, moments
// WITHOUT-NOT: center_keys

// CHECK-LABEL: func @full(
// CHECK-SAME:    %[[Q:.*]]: tensor<4x4096x64xf32>, %[[K:.*]]: tensor<2x4096x64xf32>, %[[V:.*]]: tensor<2x4096x32xf32>, %[[W:.*]]: tensor<2x4096xf32>)
// CHECK:         %[[C:.*]] = attn.center_keys %[[K]] key_weights(%[[W]] : tensor<2x4096xf32>) : tensor<2x4096x64xf32>
// CHECK:         %[[OK:.*]] = attn.check_bound %[[Q]], %[[C]] key_weights(%[[W]] : tensor<2x4096xf32>) scale 1.250000e-01 bound [[B:[0-9.]+]] max_norm {{.*}} second_moment [[M2:[0-9.]+]] mean 1.000000e-03 :
// CHECK:         %[[R:.*]] = scf.if %[[OK]]
// CHECK:           attn.attention %[[Q]], %[[C]], %[[V]] key_weights(%[[W]]
// CHECK-SAME:        kernel poly<[{{[^,]*}}, {{[^,]*}}]> bound <[[B]], declared>
// CHECK-SAME:        certificate <score_bound = [[B]],
// CHECK-SAME:        assumption = guarded, moments = <second_moment = [[M2]], mean = 1.000000e-03, quadratic = {{[0-9.]+}}>>
// CHECK:         } else {
// CHECK:           %[[BOUND:.*]] = attn.check_bound %[[Q]], %[[K]] scale 1.250000e-01 bound 0.50
// CHECK-NOT:       second_moment
// CHECK:           scf.if %[[BOUND]]
// CHECK:             attn.attention %[[Q]], %[[K]], %[[V]]
// CHECK-SAME:          kernel poly<[{{[^,]*}}, {{[^,]*}}, {{[^,]*}}]> bound <5.000000e-01, declared>
// CHECK:           } else {
// CHECK:             attn.attention %[[Q]], %[[K]], %[[V]] key_weights(%[[W]] : tensor<2x4096xf32>) scale 1.250000e-01 :
// CHECK:         return %[[R]]
// REMARK: [Passed] Approximated | {{.*}}Function=full | CentredBound=0.5{{.*}}Degree=1, ExactRows=0, FallbackDegree=2, FallbackOutputError=0.005
// REMARK-SAME: score bound 0.5 (declared, checked at run time: centred scores up to 0.516, their second moment up to 0.00{{[0-9]+}}): degree 1, rank 65,
// REMARK-SAME: ; where moments are larger but the bound holds, degree 2 with certified error 0.00
func.func @full(%q: tensor<4x4096x64xf32>, %k: tensor<2x4096x64xf32>, %v: tensor<2x4096x32xf32>, %w: tensor<2x4096xf32>) -> tensor<4x4096x32xf32> {
  %o = attn.attention %q, %k, %v key_weights(%w : tensor<2x4096xf32>) scale 0.125 bound <0.5, declared>
     : tensor<4x4096x64xf32>, tensor<2x4096x64xf32>, tensor<2x4096x32xf32> -> tensor<4x4096x32xf32>
  return %o : tensor<4x4096x32xf32>
}

// Under a mask the rows that see less than 512 keys stay exact.
// CHECK-LABEL: func @causal(
// CHECK-SAME:    %[[X:.*]]: tensor<2x16384x64xf32>)
// CHECK:         %[[C:.*]] = attn.center_keys %[[X]]
// CHECK:         %[[REST:.*]] = tensor.extract_slice %[[X]][0, 512, 0] [2, 15872, 64]
// CHECK:         %[[OK:.*]] = attn.check_bound %[[REST]], %[[C]] {{.*}} mean 5.000000e-02 mask causal<align = end>
// CHECK:         scf.if %[[OK]]
// CHECK:           %[[LOW:.*]] = attn.attention %[[REST]], %[[C]], %[[X]] {{.*}} mask causal<align = end>
// CHECK-SAME:        certificate
// CHECK:           %[[FIRST:.*]] = tensor.extract_slice %[[X]][0, 0, 0] [2, 512, 64]
// CHECK:           %[[EXACT:.*]] = attn.attention %[[FIRST]], %[[X]], %[[X]] scale 1.250000e-01 mask causal :
// CHECK:           %[[A:.*]] = tensor.insert_slice %[[EXACT]] into %{{.*}}[0, 0, 0] [2, 512, 64]
// CHECK:           %[[B:.*]] = tensor.insert_slice %[[LOW]] into %[[A]][0, 512, 0] [2, 15872, 64]
// CHECK:           scf.yield %[[B]]
// REMARK: [Passed] Approximated | {{.*}}Function=causal | {{.*}}ExactRows=512
// REMARK-SAME: ; the first 512 rows stay exact
func.func @causal(%x: tensor<2x16384x64xf32>) -> tensor<2x16384x64xf32> {
  %o = attn.attention %x, %x, %x scale 0.125 mask causal bound <0.5, declared>
     : tensor<2x16384x64xf32>, tensor<2x16384x64xf32>, tensor<2x16384x64xf32> -> tensor<2x16384x64xf32>
  return %o : tensor<2x16384x64xf32>
}

// All rows see more: none is left out.
// CHECK-LABEL: func @chunk(
// CHECK-NOT:     tensor.extract_slice
// CHECK:         attn.check_bound {{.*}} second_moment {{.*}} mask causal<align = end>
func.func @chunk(%q: tensor<1x4096x64xf32>, %x: tensor<1x16384x64xf32>) -> tensor<1x4096x64xf32> {
  %o = attn.attention %q, %x, %x scale 0.125 mask causal<align = end> bound <0.5, declared>
     : tensor<1x4096x64xf32>, tensor<1x16384x64xf32>, tensor<1x16384x64xf32> -> tensor<1x4096x64xf32>
  return %o : tensor<1x4096x64xf32>
}

// What is known of moments decides, not what keys in random directions would have.
// CHECK-LABEL: func @profiled(
// CHECK:         attn.check_bound {{.*}} bound 0.900{{[0-9]*}} max_norm {{.*}} second_moment
// CHECK:         kernel poly<[{{[^,]*}}, {{[^,]*}}]> bound <0.900{{[0-9]*}}, profiled>
func.func @profiled(%x: tensor<4096x64xf32>) -> tensor<4096x64xf32> {
  %o = attn.attention %x, %x, %x scale 0.125 bound <5.0, profiled, moments = <centred_bound = 0.9, second_moment = 0.005>>
     : tensor<4096x64xf32>, tensor<4096x64xf32>, tensor<4096x64xf32> -> tensor<4096x64xf32>
  return %o : tensor<4096x64xf32>
}
// CHECK-LABEL: func @clustered(
// CHECK-NOT:     center_keys
// CHECK:         kernel poly<[{{[^,]*}}, {{[^,]*}}, {{[^,]*}}]> bound <5.000000e-01, declared
func.func @clustered(%x: tensor<16384x64xf32>) -> tensor<16384x64xf32> {
  %o = attn.attention %x, %x, %x scale 0.125 bound <0.5, declared, moments = <centred_bound = 0.5, second_moment = 0.2>>
     : tensor<16384x64xf32>, tensor<16384x64xf32>, tensor<16384x64xf32> -> tensor<16384x64xf32>
  return %o : tensor<16384x64xf32>
}

// A proved bound needs no check; windows and 16-bit keys have none of moments; at the same degree the bound is cheaper.
// CHECK-LABEL: func @others(
// CHECK-NOT:     center_keys
// CHECK:         return
func.func @others(%x: tensor<16384x64xf32>, %h: tensor<16384x64xbf16>) -> (tensor<16384x64xf32>, tensor<16384x64xf32>, tensor<16384x64xbf16>, tensor<16384x64xf32>) {
  %a = attn.attention %x, %x, %x scale 0.125 bound <0.5, proved>
     : tensor<16384x64xf32>, tensor<16384x64xf32>, tensor<16384x64xf32> -> tensor<16384x64xf32>
  %b = attn.attention %x, %x, %x scale 0.125 mask sliding_window<left = 12000, right = 0> bound <0.5, declared>
     : tensor<16384x64xf32>, tensor<16384x64xf32>, tensor<16384x64xf32> -> tensor<16384x64xf32>
  %c = attn.attention %h, %h, %h scale 0.125 bound <0.5, declared>
     : tensor<16384x64xbf16>, tensor<16384x64xbf16>, tensor<16384x64xbf16> -> tensor<16384x64xbf16>
  %d = attn.attention %x, %x, %x scale 0.125 bound <0.15, declared>
     : tensor<16384x64xf32>, tensor<16384x64xf32>, tensor<16384x64xf32> -> tensor<16384x64xf32>
  return %a, %b, %c, %d : tensor<16384x64xf32>, tensor<16384x64xf32>, tensor<16384x64xbf16>, tensor<16384x64xf32>
}
