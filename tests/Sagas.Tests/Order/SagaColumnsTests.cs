using System.Text.Json;
using Orderwright.Contracts;
using Orderwright.SagaCoordinator.Process;

namespace Orderwright.Sagas.Tests.Order;

/// <summary>The JSON columns of a saga: a round trip keeps every character.</summary>
public class SagaColumnsTests
{
    static readonly DateTimeOffset Start = new(2026, 1, 31, 9, 30, 0, TimeSpan.Zero);

    static SagaState Blank => SagaState.New(OrderSaga.BuiltIn.Definition, seed: 7) with { Version = 4, StartedAt = Start };

    public static TheoryData<string> Steps() => new()
    {
        """
        {"steps":{"reserve-stock":{"do":["asked",1,0,null,{"next":2552,"until":600000}]}}}
        """,
        """
        {"pivoted":true,"steps":{"reserve-stock":{"do":["completed",1,0,51]},
        "authorize-payment":{"do":["completed",1,51,213,{"detail":"captured"}]},
        "commit-stock":{"do":["completed",1,213,280]},
        "capture-payment":{"do":["skipped",0,null,280]}},
        "payment":[296,296,0],"toUndo":[0,1,2]}
        """,
        """
        {"reason":{"kind":"cancelled","code":"cancelled","message":"customer"},"cancelReason":"customer","steps":{
        "reserve-stock":{"do":["completed",2,0,51],"undo":["asked",3,900,null,{"tries":1,"next":4000,"until":1800000}]},
        "authorize-payment":{"do":["completed",1,51,213],"undo":["completed",1,300,880]}},
        "payment":[296,0,0,true],"toUndo":[0]}
        """,
        """
        {"steps":{"reserve-stock":{"do":["completed",1,0,51]},
        "authorize-payment":{"do":["stuck",2,51,900,{"doubt":213,"code":"in_doubt","message":"Looked up.",
        "resolution":{"id":"01980000-0000-7000-8000-000000000007","completed":true,
        "by":"ann","reason":"Asked.","reference":"ch_1"}}]}},
        "toUndo":[0]}
        """,
    };

    [Theory]
    [MemberData(nameof(Steps))]
    public void Steps_are_written_and_read_in_one_form(string json)
    {
        var (state, payment) = SagaColumns.ReadSteps(json, Blank);
        Assert.Equal(json.ReplaceLineEndings(""), SagaColumns.WriteSteps(state, payment));
    }

    [Fact]
    public void The_renewal_of_a_hold_by_release_0_1_0_is_skipped() => Assert.Equal(
        51, (SagaColumns.ReadSteps("""{"steps":{"reserve-stock":{"do":["completed",1,0,51],"renew":240051}}}""", Blank)
            .State[StepNames.ReserveStock].Do!.AnsweredAt!.Value - Start).TotalMilliseconds);

    [Theory]
    [InlineData("""{"steps":{},"toUndo":[4]}""")]
    [InlineData("""{"steps":{},"toUndo":[-1]}""")]
    [InlineData("""{"steps":{"reserve-stock":{"do":["completed"]}}}""")]
    [InlineData("""{"steps":{"reserve-stock":{"do":["carried-out",1,0,51]}}}""")]
    [InlineData("""{"steps":{"ship-it":{"do":["completed",1,0,51]}}}""")]
    [InlineData("""{"payment":[296,296]}""")]
    [InlineData("""{"steps":{"reserve-stock":{"do":{"phase":"completed"}}}}""")]
    public void Invalid_steps_are_unreadable(string steps) =>
        Assert.ThrowsAny<JsonException>(() => SagaColumns.ReadSteps(steps, Blank));

    [Fact]
    public void Facts_of_release_0_1_0_have_their_channel_under_the_former_name()
    {
        const string Json =
            """
            {"customerId":"ada","currency":"EUR","lines":[[1,"A",2,148]],"provider":"balance","merchant":"acme"}
            """;
        Assert.Equal("acme", SagaColumns.ReadFacts(Json).Order.Channel);
    }

    [Fact]
    public void Facts_are_written_and_read_in_one_form()
    {
        const string Json =
            """
            {"customerId":"ada","currency":"EUR","lines":[[1,"A",2,148],[2,"B",1]],"provider":"balance"}
            """;
        var facts = SagaColumns.ReadFacts(Json);
        Assert.Equal([new OrderLine(1, "A", 2, 148), new OrderLine(2, "B", 1, null)], facts.Order.Lines);
        Assert.Equal(Json, SagaColumns.WriteFacts(facts));
    }
}
