
namespace Orderwright.EndToEnd;

/// <summary>Guided scenarios of the demo shop, as the tool narrates them.</summary>
public sealed class DemoTests
{
    [Fact]
    public async Task Each_scenario_is_narrated_and_a_reset_resolves_what_is_left()
    {
        await using var host = await HttpHost.StartAsync();
        await host.WaitForAsync("The demo shop has");
        Assert.Contains("rejected: payment_declined", await NarrateAsync(host, "decline"), StringComparison.Ordinal);
        Assert.Contains("rejected: out_of_stock", await NarrateAsync(host, "out-of-stock"), StringComparison.Ordinal);
        Assert.Contains("confirmed, 29.90 GBP paid", await NarrateAsync(host, "gateway-timeout"), StringComparison.Ordinal);
        Assert.Contains("./orderwright resolve", await NarrateAsync(host, "refund-fails"), StringComparison.Ordinal);
        await NarrateAsync(host, "reset");
        Assert.Equal(200, (await host.Client.AskAsync("/api/v1/incidents")).Status);
        Assert.Empty((await host.Client.AskAsync("/api/v1/incidents")).Json["items"]!.AsArray());
    }

    [Theory]
    [InlineData("reserve")]
    [InlineData("authorize")]
    [InlineData("commit")]
    [InlineData("capture")]
    public async Task A_process_killed_after_a_step_restarts_with_one_reservation_and_one_authorization(string step)
    {
        var data = HttpHost.NewDirectory();
        await using var killed = await HttpHost.StartAsync(data);
        await killed.WaitForAsync("The demo shop has");
        var narration = NarrateAsync(killed, "crash", "--after", step);
        await killed.WaitForAsync("It has ended.");
        await using (await HttpHost.StartAsync(data, "--port", $"{killed.Url.Port}"))
        {
            var story = await narration;
            Assert.Contains("The process was killed.", story, StringComparison.Ordinal);
            Assert.Contains("✓ 1 reservation, allocated in 1 movement: 1 × POT-01.", story, StringComparison.Ordinal);
            Assert.Contains("✓ 1 authorization of 42.50 GBP.", story, StringComparison.Ordinal);
            Assert.Contains("✓ 1 capture of 42.50 GBP.", story, StringComparison.Ordinal);
        }
        Directory.Delete(data, recursive: true);
    }

    [Fact]
    public async Task Without_the_demo_there_are_no_scenarios()
    {
        await using var host = await HttpHost.StartAsync(null, "--no-demo");
        Assert.Equal(404, (await host.Client.AskAsync("/api/v1/demo")).Status);
        Assert.Equal(404, (await host.Client.PostAsync("/api/v1/demo/decline", "{}")).Status);
    }

    static async Task<string> NarrateAsync(HttpHost host, params string[] scenario)
    {
        var (exit, output) = await host.RunToolAsync(["demo", .. scenario]);
        Assert.True(exit == 0, output);
        return output;
    }
}
