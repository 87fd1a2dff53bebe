// Which rows of the output queue are taken, read and stored, and where each belongs in the layer's output. A row
// is in the queue from its issue on, is done when its sums are words, is then read, and waits for its turn on the
// channel. Rows leave in the order of their issue.
/* verilator lint_off PINCONNECTEMPTY */
module output_control #(
    parameter int unsigned CW = 16
) (
    input  logic          clk,
    input  logic          start,
    input  logic [CW-1:0] groups,
    input  logic [CW-1:0] rows,
    input  logic [CW-1:0] depth,
    input  logic [CW-1:0] channels,
    input  logic [CW-1:0] blocks,
    input  logic [CW-1:0] tile_rows,
    input  logic [CW-1:0] tile_depth,
    input  logic [CW-1:0] tile_channels,
    input  logic          keep_rows,
    input  logic          blocks_inside,
    input  logic [CW-1:0] queue_rows,
    input  logic          issued,         // a row that will be final
    input  logic          finished,       // its words are in the queue
    output logic [CW-1:0] queue_used,
    output logic          queue_read,
    output logic [CW-1:0] queue_head,     // the row that is read, and its channels
    output logic [CW-1:0] head_channels,
    output logic [CW-1:0] head_of_output,
    output logic          output_valid,
    input  logic          output_grant,
    output logic [CW-1:0] output_group,
    output logic [CW-1:0] output_block,
    output logic [CW-1:0] output_row,
    output logic [CW-1:0] output_channel0,
    output logic [CW-1:0] output_words
);
  logic [CW-1:0] queue_done, head_group, head_block, head_row0, head_channel0, head_rows, head_row;
  logic head_ends;
  assign queue_read = queue_done != 0 && (!output_valid || output_grant);
  assign head_ends  = queue_read && head_row + 1'b1 == head_rows;

  layer_walk #(.CW(CW)) walk (
      .clk, .start, .advance(head_ends), .groups, .rows, .depth, .channels, .blocks, .tile_rows, .tile_depth,
      .tile_channels, .rows_outside(keep_rows), .blocks_inside, .skip_rows(1'b0), .skip_channels(1'b0),
      .skip_depth(1'b1), .skip_blocks(1'b0), .over(), .group(head_group), .row0(head_row0), .depth0(),
      .channel0(head_channel0), .block(head_block), .real_rows(head_rows), .real_depth(),
      .real_channels(head_channels), .first_depth(), .last_row_tile(), .last_channel_tile(), .last_depth_tile(),
      .last_block()
  );

  always_ff @(posedge clk) begin
    if (start) begin
      queue_used     <= '0;
      queue_done     <= '0;
      queue_head     <= '0;
      head_of_output <= '0;
      head_row       <= '0;
      output_valid   <= 1'b0;
    end else begin
      queue_used   <= queue_used + CW'(issued) - CW'(queue_read);
      queue_done   <= queue_done + CW'(finished) - CW'(queue_read);
      output_valid <= queue_read || (output_valid && !output_grant);
      if (queue_read) begin
        queue_head      <= queue_head + 1'b1 == queue_rows ? '0 : queue_head + 1'b1;
        head_of_output  <= queue_head;
        head_row        <= head_ends ? '0 : head_row + 1'b1;
        output_group    <= head_group;
        output_block    <= head_block;
        output_row      <= head_row0 + head_row;
        output_channel0 <= head_channel0;
        output_words    <= head_channels;
      end
    end
  end
endmodule
/* verilator lint_on PINCONNECTEMPTY */
