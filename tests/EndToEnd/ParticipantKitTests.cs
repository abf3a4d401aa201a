using System.Collections.Concurrent;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Orderwright.Runtime;
using Orderwright.StepService.Kit;
using StandardWebhooks;

namespace Orderwright.EndToEnd;

/// <summary>The test kit for participants, against a participant that keeps the rules and twelve with a fault each.</summary>
public sealed class ParticipantKitTests
{
    public enum Fault
    {
        None, AnswersWithoutJson, ReadsNoSignature, AcceptsOldCalls, ActsOnEveryCall, ActsOnTwins, KeepsLostCallsOpen,
        RefusesUnknownProperties, UndoesOnce, RefusesEarlyUndo, ActsAfterUndo, UndoesEveryOrder, ForgetsAtRestart,
    }

    [Theory]
    [InlineData(Fault.None)]
    [InlineData(Fault.AnswersWithoutJson, "reply")]
    [InlineData(Fault.ReadsNoSignature, "unsigned", "forged", "old")]
    [InlineData(Fault.AcceptsOldCalls, "old")]
    [InlineData(Fault.ActsOnEveryCall, "repeat", "twins", "lost-reply", "late-do", "restart")]
    [InlineData(Fault.ActsOnTwins, "twins")]
    [InlineData(Fault.KeepsLostCallsOpen, "lost-reply")]
    [InlineData(Fault.RefusesUnknownProperties, "unknown-properties")]
    [InlineData(Fault.UndoesOnce, "undo", "early-undo")]
    [InlineData(Fault.RefusesEarlyUndo, "early-undo")]
    [InlineData(Fault.ActsAfterUndo, "late-do", "restart")]
    [InlineData(Fault.UndoesEveryOrder, "other-orders")]
    [InlineData(Fault.ForgetsAtRestart, "restart")]
    public async Task The_rules_that_a_participant_breaks_are_named(Fault fault, params string[] broken)
    {
        await using var participant = await TestParticipant.StartAsync(fault);
        var results = await RunAsync(participant);
        Assert.Equal(broken, results.Where(result => result.Verdict == RuleVerdict.Broken).Select(result => result.Name));
        if (fault == Fault.None) Assert.All(results, result => Assert.Equal(RuleVerdict.Holds, result.Verdict));
    }

    [Fact]
    public async Task A_participant_that_answers_later_is_not_judged_where_an_answer_is_needed()
    {
        await using var participant = await TestParticipant.StartAsync(Fault.None, decidesLater: true);
        var results = await RunAsync(participant, TimeSpan.FromSeconds(1));
        Assert.DoesNotContain(results, result => result.Verdict == RuleVerdict.Broken);
        Assert.Equal(
            ["repeat", "twins", "lost-reply", "undo", "restart"],
            results.Where(result => result.Verdict == RuleVerdict.NotJudged).Select(result => result.Name));
    }

    static async Task<List<RuleResult>> RunAsync(TestParticipant participant, TimeSpan? within = null)
    {
        var ids = new IdSource();
        var rules = new ParticipantRules(
            new(
                participant.Url, "check-fraud", [Participant.Secret], HasUndo: true, TimeSpan.FromSeconds(30),
                within ?? TimeSpan.FromSeconds(5), Restart: participant.RestartAsync),
            () => ids.Next(DateTimeOffset.UtcNow), TimeProvider.System);
        var results = new List<RuleResult>();
        await foreach (var result in rules.RunAsync(TestContext.Current.CancellationToken)) results.Add(result);
        return results;
    }

    /// <summary>Participant with a fault. Signatures are verified by a library of the Standard Webhooks project.</summary>
    sealed class TestParticipant : IAsyncDisposable
    {
        readonly WebApplication web;
        readonly Fault fault;
        readonly bool decidesLater;
        readonly SemaphoreSlim gate = new(1);
        readonly ConcurrentDictionary<(string Order, string Action), string> answers = new();
        readonly ConcurrentDictionary<string, bool> open = new();
        readonly ConcurrentDictionary<string, bool> connections = new();
        int acts;

        TestParticipant(WebApplication web, Fault fault, bool decidesLater) =>
            (this.web, this.fault, this.decidesLater) = (web, fault, decidesLater);

        public string Url => web.Urls.Single();

        public static async Task<TestParticipant> StartAsync(Fault fault, bool decidesLater = false)
        {
            var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
            builder.Services.AddRoutingCore();
            builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
            var participant = new TestParticipant(builder.Build(), fault, decidesLater);
            participant.web.Run(participant.ReceiveAsync);
            await participant.web.StartAsync();
            return participant;
        }

        public Task RestartAsync(CancellationToken cancel)
        {
            if (fault == Fault.ForgetsAtRestart) answers.Clear();
            return Task.CompletedTask;
        }

        public async ValueTask DisposeAsync()
        {
            await web.DisposeAsync();
            gate.Dispose();
        }

        async Task ReceiveAsync(HttpContext http)
        {
            using var reader = new StreamReader(http.Request.Body, Encoding.UTF8);
            var text = await reader.ReadToEndAsync();
            if (!IsGenuine(text, http.Request.Headers))
            {
                http.Response.StatusCode = 401;
                return;
            }
            var call = JsonNode.Parse(text)!;
            if (fault == Fault.RefusesUnknownProperties && call["addedLater"] is not null)
            {
                http.Response.StatusCode = 400;
                return;
            }
            var (order, action) = ((string)call["orderId"]!, (string)call["action"]!);
            if (fault == Fault.KeepsLostCallsOpen && !await IsFirstOrAnsweredAsync(http, order))
            {
                http.Response.StatusCode = 409;
                return;
            }
            if (decidesLater && action == "do" && !answers.ContainsKey((order, "do")))
            {
                http.Response.StatusCode = 202;
                return;
            }
            var answer = await AnswerAsync(order, action);
            http.Response.ContentType = "application/json";
            await http.Response.WriteAsync(answer);
        }

        bool IsGenuine(string text, IHeaderDictionary headers)
        {
            if (fault == Fault.ReadsNoSignature) return true;
            try
            {
                if (fault != Fault.AcceptsOldCalls)
                    new StandardWebhook(Participant.Secret).Verify(text, headers);
                else if (headers["webhook-signature"] != new StandardWebhook(Participant.Secret).Sign(
                    headers["webhook-id"]!,
                    DateTimeOffset.FromUnixTimeSeconds(long.Parse(headers["webhook-timestamp"]!, null)), text))
                    return false;
                return true;
            }
            catch (Exception)
            {
                return false;
            }
        }

        // A call is never closed when its caller leaves before the reply. Only a call on a new connection can be one of those.
        async Task<bool> IsFirstOrAnsweredAsync(HttpContext http, string order)
        {
            if (!open.TryAdd(order, true)) return answers.Any(answer => answer.Key.Order == order);
            if (!connections.TryAdd(http.Connection.Id, true)) return true;
            var left = new TaskCompletionSource();
            await using var registration = http.RequestAborted.Register(left.SetResult);
            return await Task.WhenAny(left.Task, Task.Delay(3_000)) != left.Task;
        }

        async Task<string> AnswerAsync(string order, string action)
        {
            var isSerial = fault != Fault.ActsOnTwins;
            if (isSerial) await gate.WaitAsync();
            try
            {
                if (answers.TryGetValue((order, action), out var known)
                    && (fault, action) is not ((Fault.ActsOnEveryCall, "do") or (Fault.UndoesOnce, "undo")))
                    return known;
                // Between the look and the act another call may come in.
                if (!isSerial) await Task.Delay(500);
                var answer = action == "undo" ? Undo(order, known)
                    : $$$"""{"outcome":"completed","detail":{"act":{{{++acts}}}}}""";
                if (fault == Fault.AnswersWithoutJson) return "OK";
                if (fault == Fault.UndoesEveryOrder && action == "do" && answers.Keys.Any(key => key.Action == "undone"))
                    return AlreadyUndone;
                return answers[(order, action)] = answer;
            }
            finally
            {
                if (isSerial) gate.Release();
            }
        }

        const string AlreadyUndone = """{"outcome":"rejected","code":"already_undone"}""";

        string Undo(string order, string? known)
        {
            if (known is not null) return """{"outcome":"rejected","code":"already_undone"}""";
            if (!answers.ContainsKey((order, "do")))
            {
                if (fault == Fault.RefusesEarlyUndo) return """{"outcome":"rejected","code":"not_found"}""";
                answers[(order, "undone")] = "";
                if (fault != Fault.ActsAfterUndo) answers[(order, "do")] = AlreadyUndone;
            }
            return """{"outcome":"completed"}""";
        }
    }
}
