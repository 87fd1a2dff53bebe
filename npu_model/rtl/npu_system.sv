// The engine at its memory channel, with counters of what the layer takes: cycles, words over the channel, and
// how many memories of a word and multipliers are enabled, cycle by cycle. Data and coordinates go out to
// whoever plays the memory.
module npu_system #(
    parameter int unsigned T_R = 16,
    parameter int unsigned T_P = 8,
    parameter int unsigned T_C = 8,
    parameter int unsigned K_MAX = 4,
    parameter int unsigned WORD = 16,
    parameter int unsigned ACC = 40,
    parameter int unsigned OUTPUT_TILES = 1,
    parameter int unsigned INPUT_PLACES = 2,
    parameter int unsigned WEIGHT_PLACES = 2,
    parameter int unsigned CW = 16
) (
    input  logic                      clk,
    input  logic                      start,
    output logic                      done,
    input  logic [CW-1:0]             groups,
    input  logic [CW-1:0]             rows,
    input  logic [CW-1:0]             depth,
    input  logic [CW-1:0]             channels,
    input  logic [CW-1:0]             blocks,
    input  logic [1:0]                k_log2,
    input  logic                      keep_rows,
    input  logic                      keep_weights,
    input  logic                      blocks_inside,
    input  logic                      pad_rows,
    input  logic [CW-1:0]             input_places,
    input  logic [CW-1:0]             weight_places,
    input  logic [CW-1:0]             fill_cycles,
    input  logic [5:0]                shift,
    input  logic                      unlimited,
    input  logic [31:0]               bandwidth,      // words per cycle, 16 fractional bits
    output logic                      input_grant,
    output logic [CW-1:0]             input_group,
    output logic [CW-1:0]             input_block,
    output logic [CW-1:0]             input_row,
    output logic [CW-1:0]             input_depth0,
    output logic [CW-1:0]             input_words,
    input  logic [K_MAX*T_P*WORD-1:0] input_data,
    output logic                      weight_grant,
    output logic [CW-1:0]             weight_group,
    output logic [CW-1:0]             weight_depth0,
    output logic [CW-1:0]             weight_channel0,
    output logic [CW-1:0]             weight_depth,
    output logic [CW-1:0]             weight_channels,
    input  logic [T_C*T_P*WORD-1:0]   weight_data,
    output logic                      output_grant,
    output logic [CW-1:0]             output_group,
    output logic [CW-1:0]             output_block,
    output logic [CW-1:0]             output_row,
    output logic [CW-1:0]             output_channel0,
    output logic [CW-1:0]             output_words,
    output logic [T_C*WORD-1:0]       output_data,
    // Since `start`.
    output logic [63:0]               cycles,
    output logic [63:0]               compute_cycles,
    output logic [63:0]               words_in,
    output logic [63:0]               words_of_weights,
    output logic [63:0]               words_out,
    output logic [63:0]               macs,           // products of an input and a weight of the layer
    output logic [63:0]               input_buffer_writes,
    output logic [63:0]               input_buffer_reads,
    output logic [63:0]               weight_buffer_writes,
    output logic [63:0]               weight_buffer_reads,
    output logic [63:0]               output_buffer_writes,
    output logic [63:0]               output_buffer_reads
);
  logic weights_first, stores_first, input_valid, weight_valid, output_valid, busy;
  logic [K_MAX*T_P-1:0] input_writes, input_reads;
  logic [T_C*T_P-1:0] weight_writes, weight_reads, multiplications;
  logic [T_C-1:0] accumulator_writes, accumulator_reads, queue_writes, queue_reads;
  logic [2*CW-1:0] tile_words;
  assign tile_words = (2 * CW)'(weight_depth) * (2 * CW)'(weight_channels);

  npu_engine #(
      .T_R(T_R), .T_P(T_P), .T_C(T_C), .K_MAX(K_MAX), .WORD(WORD), .ACC(ACC), .OUTPUT_TILES(OUTPUT_TILES),
      .INPUT_PLACES(INPUT_PLACES), .WEIGHT_PLACES(WEIGHT_PLACES), .CW(CW)
  ) engine (
      .*
  );

  memory_channel #(.CW(CW)) channel (
      .clk, .reset(start), .unlimited, .bandwidth, .weights_first, .stores_first, .input_valid, .input_words, .input_grant,
      .weight_valid, .weight_words(tile_words), .weight_grant, .output_valid, .output_words, .output_grant
  );

  always_ff @(posedge clk) begin
    if (start) begin
      cycles               <= '0;
      compute_cycles       <= '0;
      words_in             <= '0;
      words_of_weights     <= '0;
      words_out            <= '0;
      macs                 <= '0;
      input_buffer_writes  <= '0;
      input_buffer_reads   <= '0;
      weight_buffer_writes <= '0;
      weight_buffer_reads  <= '0;
      output_buffer_writes <= '0;
      output_buffer_reads  <= '0;
    end else if (!done) begin
      cycles <= cycles + 1'b1;
      if (busy) compute_cycles <= compute_cycles + 1'b1;
      if (input_grant) words_in <= words_in + 64'(input_words);
      if (weight_grant) words_of_weights <= words_of_weights + 64'(tile_words);
      if (output_grant) words_out <= words_out + 64'(output_words);
      macs                 <= macs + 64'($countones(multiplications));
      input_buffer_writes  <= input_buffer_writes + 64'($countones(input_writes));
      input_buffer_reads   <= input_buffer_reads + 64'($countones(input_reads));
      weight_buffer_writes <= weight_buffer_writes + 64'($countones(weight_writes));
      weight_buffer_reads  <= weight_buffer_reads + 64'($countones(weight_reads));
      output_buffer_writes <=
          output_buffer_writes + 64'($countones(accumulator_writes)) + 64'($countones(queue_writes));
      output_buffer_reads  <= output_buffer_reads + 64'($countones(accumulator_reads)) + 64'($countones(queue_reads));
    end
  end
endmodule
