"""Packings: the tensors that a quantized checkpoint holds in place of a weight, one table for all methods.

A packing is a name, the bits that a number may have (and the groups, after a colon, where only some occur), and a line
for each tensor: its name, its dtypes and its dimensions.

    gptq                 2 3 4 8
      M.qweight          I32        in*bits/32, out
      M.scales           F16|F      groups, out
      M.g_idx            I32        in              ; actorder

``W`` is the weight's own name, ``M`` that of its module; the first line is the tensor that holds the numbers. ``out``
and ``in`` are the two sides of the weight, what comes out and what goes in, ``n`` their product; a stack of experts has
its own dimensions before every shape. ``F`` is whatever float the model has, ``F8`` one of 8 bits. ``or`` parts shapes
that both occur, ``any`` is every shape, ``some`` every size, and ``flat`` counts by bytes, whatever the dtype. After a
semicolon stands when a tensor is there: ``stored`` by most tools, ``perhaps``, or where a configuration says a word.

This file is data: ``packing`` says what its words come to.
"""

TABLE = """
gptq                    2 3 4 8
  M.qweight             I32             in*bits/32, out
  M.scales              F16|F           groups, out
  M.qzeros              I32             groups, out*bits/32     ; stored
  M.zeros               F16|F           groups, out             ; perhaps
  M.g_idx               I32             in                      ; stored

squeezellm              3 4
  M.qweight             I32             in*bits/32, out
  M.lookup_table        F16|F           out, levels

bitblas                 1 2 4 8
  M.qweight             I8              out, in*bits/8
  M.scales              F16|F           out, groups
  M.qzeros              I8              groups, out*bits/8      ; perhaps
  M.zeros               F16|F           out, groups             ; perhaps

awq-gemm                4 8
  M.qweight             I32             in, out*bits/32
  M.qzeros              I32             groups, out*bits/32     ; stored
  M.scales              F16|F           groups, out

awq-gemv                4
  M.qweight             I32             out, in*bits/32
  M.qzeros              I32             out, padded/8
  M.scales              F16|F           out, padded

awq-gemv-fast           4
  M.qweight             I16             out/4, in
  M.qzeros              F16|F           padded, out
  M.scales              F16|F           padded, out

awq-original            4
  M.qweight             I16             out/4, in
  M.scales              F16|F           padded, out
  M.scaled_zeros        F16|F           padded, out

awq-marlin              4 8
  M.qweight             I32             in/16, out*bits/2
  M.scales              F16|F           groups, out

marlin                  4 8
  M.B                   I32             in/16, out*bits/2
  M.s                   F16|F           groups, out
  M.workspace           I32             any                     ; perhaps

marlin-24               4 8
  M.B_24                I32             in/32, out*bits/2
  M.B_meta              I16             in/32, out*2
  M.s                   F16|F           groups, out
  M.workspace           I32             any                     ; perhaps

compressed-marlin-24    4 8
  M.weight_packed       I32             in/32, out*bits/2
  M.scale_packed        F16|F           groups, out
  M.meta                I16             in/32, out*2

pack-quantized          1 2 3 4 5 6 7 8
  W_packed              I32             out, words
  W_scale               F               out, groups or 1
  W_shape               I64|I32         2                       ; stored
  W_zero_point          I32             out_words, groups       ; asymmetric
  W_g_idx               I32             in                      ; actorder

nvfp4-pack-quantized    4
  W_packed              U8              out, in/2
  W_scale               F8_E4M3         out, in/16
  W_global_scale        F32             1
  M.input_global_scale  F32             1                       ; activations

mxfp4-pack-quantized    4
  W_packed              U8              out, in/2
  W_scale               U8|F8_E8M0      out, in/32

naive-quantized         8
  W                     I8|F8           out, in
  W_scale               F               out, groups or out or 1
  W_zero_point          I8|F8|I32       out, groups or out or 1 ; asymmetric
  W_g_idx               I32             in                      ; actorder
  M.input_scale         F|F32           1                       ; static
  M.input_zero_point    I8|I32          1                       ; static_asymmetric

fp8-block               8
  W                     F8              out, in
  W_scale_inv           F32|F|F8_E8M0   block_rows, block_columns
  M.activation_scale    F32             1                       ; static

fp8-tensor              8
  W                     F8              out, in
  W_scale_inv           F32|F           1
  M.activation_scale    F32             1                       ; static

float-quantized-block   8
  W                     F8              out, in
  W_scale               F               block_rows, block_columns

modelopt-fp8            8
  W                     F8              out, in
  W_scale               F32             1
  M.input_scale         F32             1                       ; activations

fbgemm-fp8              8
  W                     F8              out, in
  W_scale               F32|F           out, 1
  M.input_scale_ub      F32             1                       ; stored

bitsandbytes-8          8
  W                     I8              out, in
  M.SCB                 F32             out
  M.weight_format       U8              scalar                  ; stored

bitsandbytes-4          4                       : 32 64 128 256 512 1024 2048 4096
  W                     U8|F|I8         flat n/2, 1
  W.absmax              F32             n/group
  W.quant_map           F32             16
  W.quant_state.bitsandbytes__nf4       U8      any             ; nf4
  W.quant_state.bitsandbytes__fp4       U8      any             ; fp4

bitsandbytes-4-double   4                       : 32 64 128 256 512 1024 2048 4096
  W                     U8|F|I8         flat n/2, 1
  W.absmax              U8              n/group
  W.quant_map           F32             16
  W.nested_absmax       F32             n/group/256
  W.nested_quant_map    F32             256
  W.quant_state.bitsandbytes__nf4       U8      any             ; nf4
  W.quant_state.bitsandbytes__fp4       U8      any             ; fp4

nvfp4                   4
  W                     U8              out, in/2
  W_scale               F8_E4M3         out, in/16
  W_scale_2             F32             1
  M.input_scale         F32             1                       ; activations

modelopt-int4           4
  W                     U8              out/2, in
  W_scale               F32|F           out, groups
  M.pre_quant_scale     F               in                      ; perhaps

modelopt-mxfp4          4
  W                     U8              out, in/2
  W_scale               U8|F8_E8M0      out, in/32

mxfp4                   4
  W_blocks              U8              out, in/32, 16
  W_scales              U8              out, in/32

mxfp4-original          4
  W.blocks              U8              out, in/32, 16
  W.scales              U8              out, in/32

mxfp4-exponents         4
  W                     I8|U8           out, in/2
  M.scale               F8_E8M0         out, in/32

mlx-affine              2 3 4 5 6 8             : 32 64 128
  W                     U32             out, in*bits/32
  M.scales              F               out, in/group
  M.biases              F               out, in/group

mlx-mxfp4               4
  W                     U32             out, in*bits/32
  M.scales              U8              out, in/32

mlx-nvfp4               4
  W                     U32             out, in*bits/32
  M.scales              U8              out, in/16

mlx-mxfp8               8
  W                     U32             out, in*bits/32
  M.scales              U8              out, in/32

metal                   2 4 8                   : 32 64 128
  W                     U32             out, in*bits/32
  M.scales              F               out, in/group
  M.qbiases             F               out, in/group

exl2                    4
  M.q_weight            I32             some, out
  M.q_invperm           I32|I16         in                      ; perhaps
  M.q_perm              I32|I16         in                      ; perhaps
  M.q_scale             I32             any
  M.q_scale_max         F16             any
  M.q_groups            I16             any

exl3                    1 2 3 4 5 6 7 8
  M.trellis             I16             in/16, out/16, bits*16
  M.suh                 F16|F           in                      ; perhaps
  M.svh                 F16|F           out                     ; perhaps
  M.su                  I16             in/16                   ; perhaps
  M.sv                  I16             out/16                  ; perhaps

hqq                     1 2 4 8
  M.W_q                 U8|F|I32        flat n*bits/8
  M.scale               F               n/group, 1 or 1, n/group or any
  M.zero                F               any                     ; perhaps

hqq-3                   3
  M.W_q                 I32|F           n/group/10, group or group/10, n/group
  M.scale               F               n/group, 1 or 1, n/group
  M.zero                F               any                     ; perhaps

quanto                  8
  W._data               I8|F8|U8        out, in
  W._scale              F               out, 1 or 1

quanto-bits             2 4
  W._data._data         U8              n*bits/8/group, group or group*bits/8, n/group
  W._scale              F               n/group, 1 or 1, n/group
  W._shift              F|I8|U8         n/group, 1 or 1, n/group

torchao                 8
  M._weight_qdata       I8|F8           out, in
  M._weight_scale       F               any

torchao-plain           8
  W_qdata               I8|F8           out, in
  W_scale               F               any
  W_zero_point          F|I8            any                     ; perhaps

torchao-int4            4
  M._weight_qdata       U8|I8           out, in/2
  M._weight_scale       F               groups, out
  M._weight_zero_point  F|I8            groups, out             ; perhaps

torchao-int32           4
  M._weight_qdata       I32             out, in/8
  M._weight_scale       F               groups, out
  M._weight_zero_point  F|I8            groups, out             ; perhaps

torchao-tiles           4
  M._weight_qdata       I32             tiles_out, tiles_in, 32, 4
  M._weight_scale_and_zero  F           some, some, 2

aqlm                    8
  M.codes               I8|I16|U8|I32   out/rows, in/columns, n_codebooks
  M.codebooks           F               n_codebooks, some, rows, columns
  M.scales              F               out/rows, 1, 1, 1

modelslim               8
  W                     I8              out, in
  W_scale               F               out, 1 or out           ; perhaps
  W_offset              F|I8            out, 1 or out           ; perhaps
  M.deq_scale           F|I64           out
  M.quant_bias          I32             out

modelslim-weights       8
  W                     I8              out, in
  W_scale               F               out, groups or out
  W_offset              F|I8            out, groups or out

eetq                    8
  W                     I8              in, out
  M.weight_scales       F16|F           out

eetq-original           8
  M.qweight             I8              in, out
  M.weight_scales       F16|F           out

bitnet                  2
  W                     U8              out/4, in
  W_scale               F               1

rows                    2 4 8
  W                     U8              out, in*bits/8
  W_scale               F               out, 1

rows-of-tokens          2 4 8
  M.embedding_quantized  U8|I8          out, in*bits/8
  M.embedding_scale     F               out, groups

bytes                   8
  W                     U8              out, in
  W_scale               F               out, groups or out or 1

int4-pairs              4
  W                     I8              out/2, in
  W_scale               F               out, 1

sparse-24               8
  M.compressed          F|F8|I8         out, in/2
  M.bitmask             U8              out, bytes_in
  M.shape               I64|I32         any

sparse                  8
  W.compressed          F|F8|I8         some
  W.bitmask             U8              out, bytes_in
  W.shape               I64|I32         any
  W.row_offsets         I64|I32         any                     ; perhaps
"""
