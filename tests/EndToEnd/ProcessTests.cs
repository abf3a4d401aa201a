using System.Net;
using System.Text.Json.Nodes;

namespace Orderwright.EndToEnd;

/// <summary>
/// Orders whose process has steps of others: a participant over HTTP before the payment, another after it, and a person. The
/// coordinator runs as its own process, and the participant on a real socket.
/// </summary>
public sealed class ProcessTests : IAsyncLifetime
{
    const string Order =
        """
        {"customerId":"ada","currency":"GBP","lines":[{"sku":"MUG","quantity":1}],
        "payment":{"provider":"sandbox","token":"TOKEN"},"reference":"REFERENCE"}
        """;

    readonly string data = HttpHost.NewDirectory();
    readonly string files = HttpHost.NewDirectory();
    readonly HashSet<string> open = [];
    Participant participant = null!;
    HttpHost shop = null!;

    public async ValueTask InitializeAsync()
    {
        participant = await Participant.StartAsync(Respond);
        Directory.CreateDirectory(Secrets);
        foreach (var step in (string[])["check-fraud", "award-points"])
            await File.WriteAllTextAsync(Path.Combine(Secrets, step), Participant.Secret + "\n");
        await WriteAsync(version: 2);
        shop = await StartAsync();
        await shop.Client.PutAsync("/api/v1/customers/ada", """{"name":"Ada"}""");
        await shop.Client.PutAsync("/api/v1/products/MUG", """{"name":"Mug","unitPrice":1530,"currency":"GBP"}""");
        await shop.Client.PutAsync("/api/v1/stock/MUG", """{"onHand":1000}""");
    }

    public async ValueTask DisposeAsync()
    {
        await shop.DisposeAsync();
        await participant.DisposeAsync();
        Directory.Delete(data, recursive: true);
        Directory.Delete(files, recursive: true);
    }

    [Fact]
    public async Task An_order_passes_through_steps_of_others_and_their_details_reach_later_steps_and_readers()
    {
        var id = await PlaceAsync("fine");
        await BecomesAsync(id, "confirmed");
        await Waiting.UntilAsync(() => participant.Of(id, "award-points").Any());

        var check = Assert.Single(participant.Of(id, "check-fraud"));
        Assert.Equal(("/orderwright/check-fraud", $"{id}/check-fraud/do"), (check.Path, check.Key));
        Assert.Matches("^00-[0-9a-f]{32}-[0-9a-f]{16}-0[0-9a-f]$", check.TraceParent);
        Assert.Equal((1, 1530), ((int)check.Body["attempt"]!, (int)check.Body["order"]!["total"]!));
        Assert.DoesNotContain("tok_visa", check.Body.ToJsonString(), StringComparison.Ordinal);
        var award = participant.Of(id, "award-points").First();
        Assert.Equal("""{"check-fraud":{"score":7}}""", award.Body["previous"]!.ToJsonString());
        await Waiting.UntilAsync(async () => (string?)(await SagaAsync(id))["state"] == "completed");
        var step = (await SagaAsync(id))["timeline"]!.AsArray().Single(entry => (string)entry!["step"]! == "check-fraud")!;
        Assert.Equal("""{"score":7}""", step["detail"]!.ToJsonString());
        await Waiting.UntilAsync(async () =>
            (await shop.Client.GetStringAsync($"/api/v1/orders/{id}/events"))
                .Contains("\"detail\":{\"points\":15}", StringComparison.Ordinal));
        Assert.Empty(participant.Forged);
    }

    [Fact]
    public async Task A_refusal_rejects_the_order_returns_the_goods_and_takes_no_money()
    {
        var id = await PlaceAsync("reject");
        await BecomesAsync(id, "rejected");
        var order = (await shop.Client.AskAsync($"/api/v1/orders/{id}/events")).Json.ToJsonString();
        Assert.Contains("\"code\":\"suspicious\"", order, StringComparison.Ordinal);
        Assert.Equal(404, (await shop.Client.AskAsync($"/api/v1/payments/{id}")).Status);
        // A refused step did not happen, so nothing is undone.
        Assert.Empty(participant.Of(id, "check-fraud", "undo"));
    }

    [Fact]
    public async Task A_step_that_waits_ends_with_a_signed_reply_of_the_participant()
    {
        var id = await PlaceAsync("wait");
        await Waiting.UntilAsync(async () => (string?)(await SagaAsync(id))["state"] == "waiting");
        var address = $"/api/v1/sagas/{id}/steps/check-fraud";
        var reply = Reply(id, "do", "completed");

        (await shop.Client.PostAsync(address, reply)).IsProblem(401, "bad_signature");
        (await shop.Client.PostAsync(address, reply, Participant.Sign(reply, "whsec_" + new string('A', 32))))
            .IsProblem(401, "bad_signature");
        var other = Reply(Guid.CreateVersion7().ToString(), "do", "completed");
        Assert.Equal(400, (await shop.Client.PostAsync(address, other, Participant.Sign(other))).Status);
        Assert.Equal("waiting", (string?)(await SagaAsync(id))["state"]);

        Assert.Equal(204, (await shop.Client.PostAsync(address, reply, Participant.Sign(reply))).Status);
        await BecomesAsync(id, "confirmed");
        // A repeated reply changes nothing, and a contradicting one comes too late.
        var late = Reply(id, "do", "rejected");
        Assert.Equal(204, (await shop.Client.PostAsync(address, late, Participant.Sign(late))).Status);
        await BecomesAsync(id, "confirmed");
        var lost = Guid.CreateVersion7().ToString();
        var unknown = Reply(lost, "do", "completed");
        address = $"/api/v1/sagas/{lost}/steps/check-fraud";
        Assert.Equal(404, (await shop.Client.PostAsync(address, unknown, Participant.Sign(unknown))).Status);
    }

    [Fact]
    public async Task A_failing_participant_is_called_again_under_the_same_key()
    {
        var id = await PlaceAsync("fail-twice");
        await BecomesAsync(id, "confirmed");
        var calls = participant.Of(id, "check-fraud").ToList();
        Assert.Equal(3, calls.Count);
        Assert.Single(calls.Select(call => call.Key).Distinct());
    }

    [Fact]
    public async Task Silence_becomes_an_incident_that_an_operator_resolves()
    {
        var id = await PlaceAsync("silent");
        await Waiting.UntilAsync(async () => (string?)(await SagaAsync(id))["state"] == "failed");
        var (exit, output) = await shop.RunToolAsync("incidents");
        Assert.True(exit == 0 && output.Contains("check-fraud", StringComparison.Ordinal), output);
        (_, output) = await shop.RunToolAsync("why", id);
        Assert.Contains("Incident (attempts_exhausted) at check-fraud", output, StringComparison.Ordinal);
        (exit, output) = await shop.RunToolAsync("resolve", id, "check-fraud", "completed", "--reason", "Checked by hand.");
        Assert.True(exit == 0, output);
        await BecomesAsync(id, "confirmed");
    }

    [Fact]
    public async Task A_step_is_undone_when_a_later_step_refuses()
    {
        var id = await PlaceAsync("fine", "tok_declined");
        await BecomesAsync(id, "rejected");
        Assert.Equal($"{id}/check-fraud/undo", Assert.Single(participant.Of(id, "check-fraud", "undo")).Key);
    }

    [Fact]
    public async Task A_refused_optional_step_leaves_the_order_confirmed()
    {
        var id = await PlaceAsync("no-points");
        await Waiting.UntilAsync(async () => (string?)(await SagaAsync(id))["state"] == "completed");
        var step = (await SagaAsync(id))["timeline"]!.AsArray().Single(entry => (string)entry!["step"]! == "award-points")!;
        Assert.Equal("skipped", (string?)step["phase"]);
        await BecomesAsync(id, "confirmed");
    }

    [Fact]
    public async Task A_coordinator_that_died_calls_again_under_the_same_key()
    {
        var id = await PlaceAsync("hang");
        await Waiting.UntilAsync(() => participant.Of(id, "check-fraud").Any());
        await shop.KillAsync();
        await shop.DisposeAsync();
        lock (open) open.Add("hang");
        shop = await StartAsync();
        await BecomesAsync(id, "confirmed");
        Assert.Single(participant.Of(id, "check-fraud").Select(call => call.Key).Distinct());
    }

    [Fact]
    public async Task A_person_decides_a_human_step()
    {
        await shop.StopAsync();
        await shop.DisposeAsync();
        await WriteAsync(version: 3, """{ "step": "approve", "human": true, "waitsUpTo": "1h" },""");
        shop = await StartAsync();
        var (approved, refused) = (await PlaceAsync("known"), await PlaceAsync("unknown"));
        foreach (var id in (string[])[approved, refused])
            await Waiting.UntilAsync(async () => (string?)(await SagaAsync(id))["waitingFor"] == "operator");
        var (exit, output) = await shop.RunToolAsync("process", "census");
        Assert.True(exit == 0 && output.Contains("approve", StringComparison.Ordinal), output);
        (exit, output) = await shop.RunToolAsync("resolve", approved, "approve", "completed", "--reason", "Known customer.");
        Assert.True(exit == 0, output);
        (exit, output) = await shop.RunToolAsync("resolve", refused, "approve", "rejected", "--reason", "Unknown address.");
        Assert.True(exit == 0, output);
        await BecomesAsync(approved, "confirmed");
        await BecomesAsync(refused, "rejected");
        await Waiting.UntilAsync(() => participant.Of(refused, "check-fraud", "undo").Any());
    }

    [Fact]
    public async Task Orders_in_flight_finish_on_their_own_version_and_a_changed_version_does_not_start()
    {
        var id = await PlaceAsync("hang");
        await Waiting.UntilAsync(() => participant.Of(id, "check-fraud").Any());
        await shop.StopAsync();
        await shop.DisposeAsync();

        await WriteAsync(version: 2, """{ "step": "approve", "human": true },""");
        var (exit, output) = await HttpHost.RunAsync(Arguments);
        Assert.Equal(2, exit);
        Assert.Contains("ORDERWRIGHT_PROCESS has changed under version 2", output, StringComparison.Ordinal);

        // Without the secret, the built-in process cannot carry the order in flight.
        File.Move(Path.Combine(Secrets, "check-fraud"), Path.Combine(files, "elsewhere"));
        (exit, output) = await HttpHost.RunAsync([.. Arguments.Where((_, i) => i is not (6 or 7))]);
        Assert.Equal(2, exit);
        Assert.Contains(
            "Orders in flight run on version 2 of the process, and its step check-fraud", output, StringComparison.Ordinal);
        File.Move(Path.Combine(files, "elsewhere"), Path.Combine(Secrets, "check-fraud"));

        // A process without the step: the order still finishes on its own version, and new orders go past the participant.
        lock (open) open.Add("hang");
        shop = await HttpHost.StartProcessAsync([.. Arguments.Where((_, i) => i is not (6 or 7))]);
        var later = await PlaceAsync("reject");
        await BecomesAsync(later, "confirmed");
        await BecomesAsync(id, "confirmed");
        Assert.Empty(participant.Of(later, "check-fraud"));
        var (first, second) = (await SagaAsync(id), await SagaAsync(later));
        Assert.Equal((2, 1), ((int)first["definition"]!["version"]!, (int)second["definition"]!["version"]!));
    }

    [Fact]
    public async Task A_faulty_file_is_refused_with_a_pointer_to_each_fault()
    {
        var file = Path.Combine(files, "faulty.json");
        await File.WriteAllTextAsync(
            file,
            """
            { "name": "order-process", "version": 2, "steps": [
              { "step": "reserve-stock" }, { "step": "check", "participant": "https://check.example" },
              { "step": "capture-payment" }, { "step": "authorize-payment", "pivot": true }, { "step": "commit-stock" } ] }
            """);
        var (exit, output) = await HttpHost.RunAsync("--data", HttpHost.NewDirectory(), "--port", "0", "--process", file);
        Assert.Equal(2, exit);
        Assert.Contains("/steps/1: \"check\" comes before the pivot", output, StringComparison.Ordinal);
        Assert.Contains("/steps/2: \"capture-payment\" cannot be undone", output, StringComparison.Ordinal);
        (exit, output) = await shop.RunToolAsync("process", "check", file);
        Assert.Equal(1, exit);
        Assert.Contains("/steps/2: \"capture-payment\" cannot be undone", output, StringComparison.Ordinal);
        (exit, output) = await shop.RunToolAsync("process", "check", ProcessFile, "--seeds", "0");
        Assert.True(exit == 0, output);
        Assert.Contains("check_fraud -->", output, StringComparison.Ordinal);
        (exit, output) = await shop.RunToolAsync("process", "show");
        Assert.True(exit == 0 && output.Contains("\"version\": 2", StringComparison.Ordinal), output);
    }

    string Secrets => Path.Combine(files, "secrets");

    string ProcessFile => Path.Combine(files, "process.json");

    string[] Arguments =>
    [
        "--data", data, "--port", "0", "--no-open", "--no-trickle", "--process", ProcessFile, "--no-demo",
        "--step-secrets", Secrets, "--step-deadline", "1s",
    ];

    Task<HttpHost> StartAsync() => HttpHost.StartProcessAsync(Arguments);

    Task WriteAsync(int version, string further = "") => File.WriteAllTextAsync(
        ProcessFile,
        $$"""
        { "name": "order-process", "version": {{version}}, "steps": [
          { "step": "reserve-stock" },
          { "step": "check-fraud", "participant": "{{participant.Url}}", "undo": true, "within": "20s",
            "whenSilent": "incident" },
          {{further}}
          { "step": "authorize-payment", "pivot": true },
          { "parallel": [ { "step": "commit-stock" }, { "step": "capture-payment" } ] },
          { "step": "award-points", "participant": "{{participant.Url}}", "optional": true } ] }
        """);

    (int Status, string Body) Respond(Participant.Call call, int number)
    {
        bool IsOpen() { lock (open) return open.Contains(call.Reference!); }
        return (call.Step, call.Action, call.Reference) switch
        {
            (_, "undo", _) => (200, """{"outcome":"completed"}"""),
            ("award-points", _, "no-points") => (200, """{"outcome":"rejected","code":"no_member","message":"No member."}"""),
            ("award-points", _, _) => (200, """{"outcome":"completed","detail":{"points":15}}"""),
            (_, _, "reject") => (200, """{"outcome":"rejected","code":"suspicious","message":"Too many mugs."}"""),
            (_, _, "wait") => (202, ""),
            (_, _, "fail-twice") when number <= 2 => (500, "broken"),
            (_, _, "silent") => (0, ""),
            (_, _, "hang") when !IsOpen() => (0, ""),
            _ => (200, """{ "outcome": "completed", "detail": { "score": 7 } }"""),
        };
    }

    static string Reply(string orderId, string action, string outcome) => new JsonObject
    {
        ["orderId"] = orderId, ["step"] = "check-fraud", ["action"] = action, ["outcome"] = outcome,
    }.ToJsonString();

    async Task<string> PlaceAsync(string reference, string token = "tok_visa")
    {
        var answer = await shop.Client.PostAsync(
            "/api/v1/orders",
            Order.Replace("TOKEN", token, StringComparison.Ordinal).Replace("REFERENCE", reference, StringComparison.Ordinal));
        Assert.True(answer.Status == (int)HttpStatusCode.Accepted, System.Text.Encoding.UTF8.GetString(answer.Body));
        return (string)answer.Json["id"]!;
    }

    async Task<JsonNode> SagaAsync(string id) => (await shop.Client.AskAsync($"/api/v1/sagas/{id}")).Json;

    Task BecomesAsync(string id, string status) => Waiting.UntilAsync(
        async () => (string?)(await shop.Client.AskAsync($"/api/v1/orders/{id}")).Json["status"] == status);
}
