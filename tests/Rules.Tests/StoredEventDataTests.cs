using Orderwright.Contracts;
using Orderwright.OrderService.Events;

namespace Orderwright.Rules.Tests;

/// <summary>Event data: compact in the column, with names and times in the API.</summary>
public class StoredEventDataTests
{
    static readonly DateTimeOffset At = new(2026, 1, 31, 9, 30, 0, 839, TimeSpan.Zero);

    static readonly StepStamp Reserved = new(
        StepNames.ReserveStock, false, "completed", At.AddMilliseconds(-548), 1, AnsweredAt: At.AddMilliseconds(-400));

    static string Store(EventData data) => StoredEventData.Write(data, At);

    [Fact]
    public void A_step_is_stored_as_an_array_and_read_with_names_and_times()
    {
        var stored = Store(new EventData("paid", 644, Steps: [Reserved]));
        Assert.Equal("""{"paymentStatus":"paid","total":644,"steps":[["reserve-stock",0,"completed",1,-548,-400]]}""", stored);
        Assert.Equal(
            """
            {"paymentStatus":"paid","total":644,"steps":[{"step":"reserve-stock","undo":false,"outcome":"completed",
            "sentAt":"2026-01-31T09:30:00.291Z","answeredAt":"2026-01-31T09:30:00.439Z","attempts":1}]}
            """.ReplaceLineEndings(""),
            StoredEventData.Read(stored, At));
    }

    [Fact]
    public void Steps_without_a_reply_with_a_code_or_undone_round_trip()
    {
        var stored = Store(new EventData(Code: "timed_out", Steps:
        [
            Reserved with { Undo = true, Attempts = 3 },
            Reserved with { AnsweredAt = null, Outcome = "timed_out", Code = "timed_out" },
            Reserved with { AnsweredAt = null },
            Reserved with
            {
                Outcome = "rejected", Code = ReasonCodes.OutOfStock, SentAt = At.AddDays(-400),
                AnsweredAt = At.AddMilliseconds(2),
            },
        ]));
        Assert.Equal(
            """
            {"code":"timed_out","steps":[
            {"step":"reserve-stock","undo":true,"outcome":"completed","sentAt":"2026-01-31T09:30:00.291Z",
            "answeredAt":"2026-01-31T09:30:00.439Z","attempts":3},
            {"step":"reserve-stock","undo":false,"outcome":"timed_out","code":"timed_out","sentAt":"2026-01-31T09:30:00.291Z",
            "attempts":1},
            {"step":"reserve-stock","undo":false,"outcome":"completed","sentAt":"2026-01-31T09:30:00.291Z","attempts":1},
            {"step":"reserve-stock","undo":false,"outcome":"rejected","code":"out_of_stock","sentAt":"2024-12-27T09:30:00.839Z",
            "answeredAt":"2026-01-31T09:30:00.841Z","attempts":1}]}
            """.ReplaceLineEndings(""),
            StoredEventData.Read(stored, At));
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"message":"\"steps\" in a message","code":"out_of_stock"}""")]
    public void Data_without_steps_is_returned_unchanged(string stored) =>
        Assert.Equal(stored, StoredEventData.Read(stored, At));
}
