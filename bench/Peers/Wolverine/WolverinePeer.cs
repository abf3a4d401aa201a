using JasperFx.CodeGeneration;
using JasperFx.Core;
using JasperFx.Resources;
using Npgsql;
using Orderwright.Peers.Shop;
using Wolverine;
using Wolverine.ErrorHandling;
using Wolverine.Postgresql;
using Wolverine.RabbitMQ;
using Wolverine.Transports;

namespace Orderwright.Peers.Wolverine;

/// <summary>Wolverine as its documentation tunes it; README.md gives the reason for each option.</summary>
static class WolverinePeer
{
    const int Parallel = 100;
    const int Prefetch = 200;

    public static void Add(WebApplicationBuilder builder, Settings settings)
    {
        builder.Services.AddSingleton<Outbox>();
        builder.Services.AddSingleton<IIntake, OutboxIntake>();
        builder.Services.AddResourceSetupOnStartup();
        builder.UseWolverine(options =>
        {
            options.ServiceName = settings.Service;
            options.ApplicationAssembly = typeof(WolverinePeer).Assembly;
            options.Discovery.DisableConventionalDiscovery().IncludeType(typeof(ShopHandler));
            options.CodeGeneration.GeneratedCodeOutputPath = GeneratedCode();
#if PREGENERATED
            options.CodeGeneration.TypeLoadMode = TypeLoadMode.Static;
#endif
            options.PersistMessagesWithPostgresql(settings.Database);
            // One instance of each service: what it left behind is taken up at its next start, not after a leader election.
            options.Durability.Mode = DurabilityMode.Solo;
            options.Durability.DurabilityMetricsEnabled = false;
            options.Policies.MessageSuccessLogLevel(LogLevel.None);
            options.Policies.MessageExecutionLogLevel(LogLevel.None);
            options.OnException<NpgsqlException>().RetryWithCooldown(50.Milliseconds(), 250.Milliseconds(), 1.Seconds());
            options.UseRabbitMq(settings.Broker).AutoProvision().ConfigureChannelCreation(channel =>
            {
                channel.PublisherConfirmationsEnabled = true;
                channel.PublisherConfirmationTrackingEnabled = true;
            });
            foreach (var (service, messages) in Services.Receives)
                if (service != settings.Service)
                    options.Publish(rule =>
                    {
                        foreach (var message in messages) rule.Message(message);
                        rule.ToRabbitQueue(service).UseDurableOutbox();
                    });
            var listener = options.ListenToRabbitQueue(settings.Service).PreFetchCount(Prefetch);
            if (settings.Peer == "wolverine-inline") listener.ProcessInline().ConsumerDispatchConcurrency(Parallel);
            else
                // The default of 1,000 would close the channel, and have everything delivered again, at 2,000 in flight.
                listener.UseDurableInbox(new BufferingLimits(10_000, 5_000)).MaximumParallelMessages(Parallel);
        });
    }

    // Beside the project file, whatever directory the program was started in.
    static string GeneratedCode() =>
        Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "../../../obj/Wolverine"));
}
