using System.Text;
using System.Text.Json;
using Json.Schema;
using Orderwright.SagaCoordinator.Process;

namespace Orderwright.Sagas.Tests.Order;

/// <summary>The process as a file. A validator of others agrees with the published schema.</summary>
public sealed class ProcessFileTests
{
    const string Checked =
        """
        { "name": "order-process", "version": 2, "steps": [
          { "step": "reserve-stock" },
          { "step": "check-fraud", "participant": "https://fraud.example/orderwright/", "undo": true, "within": "30s",
            "waitsUpTo": "1d", "whenSilent": "incident" },
          { "step": "approve", "human": true, "waitsUpTo": "PT2H" },
          { "step": "authorize-payment", "pivot": true },
          { "parallel": [ { "step": "commit-stock" }, { "step": "capture-payment" },
            { "step": "award-points", "participant": "http://points.example", "optional": true, "effect": "none",
              "whenSilent": "reject" } ] } ] }
        """;

    static readonly JsonSchema Schema = JsonSchema.FromText(File.ReadAllText(FindSchema()));

    [Fact]
    public void A_file_becomes_a_definition_with_steps_of_others()
    {
        var (file, faults) = Parse(Checked);
        Assert.Empty(faults);
        var definition = file!.Definition;
        Assert.Equal(2, definition.Version);
        Assert.Equal(5, definition.Stages.Length);
        var check = definition.Find("check-fraud")!;
        Assert.Equal(("https://fraud.example/orderwright", "fraud.example"), (check.Endpoint, check.Participant));
        Assert.Equal(
            (TimeSpan.FromSeconds(30), TimeSpan.FromDays(1), "undo-check-fraud", WhenSilent.Incident),
            (check.Ask.Within, check.WhileWaiting.Within, check.Undo, check.WhenSilent));
        var approve = definition.Find("approve")!;
        Assert.Equal(
            (true, "operator", TimeSpan.FromHours(2)), (approve.Human, approve.Participant, approve.WhileWaiting.Within));
        Assert.True(definition.Find("award-points") is { ForwardOnly: true, Optional: true, WhenSilent: WhenSilent.Reject });
        Assert.True(IsValid(Checked));
    }

    [Fact]
    public void The_built_in_process_is_a_file_like_any_other()
    {
        var text = OrderSaga.BuiltIn.ToText();
        Assert.Equal(OrderSaga.BuiltIn.Hash, Parse(text).File!.Hash);
        Assert.True(IsValid(text));
    }

    [Fact]
    public void White_space_does_not_change_the_hash_and_a_word_does()
    {
        var file = Parse(Checked).File!;
        Assert.Equal(file.Hash, Parse(Checked.Replace("  ", "\t", StringComparison.Ordinal)).File!.Hash);
        Assert.NotEqual(file.Hash, Parse(Checked.Replace("30s", "31s", StringComparison.Ordinal)).File!.Hash);
    }

    // Replaced text, replacement, pointer and a part of the sentence; true where the schema finds the fault too.
    public static readonly TheoryData<string, string, string, string, bool> Faults = new()
    {
        { "\"version\": 2", "\"version\": 0", "/version", "1 or more", true },
        { "\"version\": 2", "\"version\": \"2\"", "/version", "whole number", true },
        { "\"order-process\"", "\"Order process\"", "/name", "small letters", true },
        { "\"steps\"", "\"stages\"", "/stages", "unknown", true },
        { "{ \"step\": \"reserve-stock\" },", "", "/steps", "reserve-stock is missing", false },
        { "\"approve\"", "\"check-fraud\"", "/steps/2/step", "occurs twice", false },
        { "\"pivot\": true", "\"pivot\": false", "/steps/3", "is the pivot", false },
        {
            "{ \"step\": \"reserve-stock\" }",
            "{ \"step\": \"reserve-stock\", \"pivot\": true }", "/steps/0/pivot", "The pivot is", false
        },
        {
            "{ \"step\": \"reserve-stock\" }",
            "{ \"step\": \"reserve-stock\", \"undo\": true }", "/steps/0/undo", "has no \"undo\"", true
        },
        { "\"undo\": true,", "", "/steps/1", "add \"undo\": true", false },
        { "\"undo\": true,", "\"undo\": 1,", "/steps/1/undo", "true or false", true },
        { "\"undo\": true,", "\"undo\": true, \"effect\": \"none\",", "/steps/1/effect", "therefore an effect", false },
        { "\"undo\": true,", "\"undo\": true, \"optional\": true,", "/steps/1/optional", "cannot be optional", false },
        { "\"undo\": true,", "\"undo\": true, \"timeout\": \"1s\",", "/steps/1/timeout", "unknown", true },
        { "\"30s\"", "\"0s\"", "/steps/1/within", "from 1s to 90d", false },
        { "\"30s\"", "30", "/steps/1/within", "from 1s to 90d", true },
        { "\"incident\"", "\"ignore\"", "/steps/1/whenSilent", "incident, reject", true },
        { "\"human\": true,", "\"human\": true, \"undo\": true,", "/steps/2/undo", "decided by a person", true },
        { "\"human\": true,", "", "/steps/2", "add \"participant\"", true },
        { "https://fraud.example/orderwright/", "amqp:fraud", "/steps/1/participant", "AMQP", true },
        { "https://fraud.example/orderwright/", "https://a:b@fraud.example", "/steps/1/participant", "without a user", true },
        {
            "\"optional\": true, \"effect\": \"none\",",
            "\"effect\": \"none\",", "/steps/4/parallel/2/whenSilent", "must be done", false
        },
        {
            "\"optional\": true, \"effect\": \"none\",",
            "\"optional\": true,", "/steps/4/parallel/2/whenSilent", "may have happened", false
        },
        {
            "{ \"step\": \"authorize-payment\", \"pivot\": true },",
            "{ \"step\": \"capture-payment\" }, { \"step\": \"authorize-payment\", \"pivot\": true },",
            "/steps/3", "must come after authorize-payment", false
        },
        {
            "{ \"step\": \"authorize-payment\", \"pivot\": true },",
            "{ \"parallel\": [ { \"step\": \"authorize-payment\", \"pivot\": true }, { \"step\": \"x\", \"human\": true } ] },",
            "/steps/3/parallel/0", "in parallel", false
        },
    };

    [Theory]
    [MemberData(nameof(Faults))]
    public void A_fault_is_a_sentence_with_a_pointer(string was, string now, string pointer, string part, bool isFormal)
    {
        var json = Checked.Replace(was, now, StringComparison.Ordinal);
        Assert.NotEqual(Checked, json);
        var (file, faults) = Parse(json);
        Assert.Null(file);
        Assert.Contains(faults, fault => fault.Pointer == pointer && fault.Message.Contains(part, StringComparison.Ordinal));
        Assert.All(faults, fault => Assert.EndsWith(".", fault.Message, StringComparison.Ordinal));
        Assert.Equal(!isFormal, IsValid(json));
    }

    [Fact]
    public void A_process_has_at_most_32_steps()
    {
        var many = string.Concat(Enumerable.Range(0, 29).Select(i => $$"""{ "step": "s{{i}}", "human": true },"""));
        var json = OrderSaga.BuiltIn.Json.Replace("[", $"[{many}", StringComparison.Ordinal);
        json = json.Replace($"\"parallel\":[{many}", "\"parallel\":[", StringComparison.Ordinal);
        Assert.Contains(Parse(json).Faults, fault => fault.Message.Contains("at most 32", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{\"name\":\"a\",\"name\":\"b\",\"version\":2,\"steps\":[]}")]
    public void Anything_else_is_refused_whole(string json) =>
        Assert.Single(Parse(json).Faults, fault => fault.Pointer.Length == 0);

    static (ProcessFile? File, IReadOnlyList<ProcessFault> Faults) Parse(string json) =>
        ProcessFile.Parse(Encoding.UTF8.GetBytes(json));

    static bool IsValid(string json)
    {
        using var document = JsonDocument.Parse(json);
        return Schema.Evaluate(document.RootElement).IsValid;
    }

    static string FindSchema()
    {
        for (var at = new DirectoryInfo(AppContext.BaseDirectory); at is not null; at = at.Parent)
            if (Path.Combine(at.FullName, "docs", "reference", "process.schema.json") is var path && File.Exists(path))
                return path;
        throw new FileNotFoundException("process.schema.json");
    }
}
